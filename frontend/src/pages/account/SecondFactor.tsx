/** The second factor: set up with an authenticator, given up, and its recovery codes made anew. */

import { Alert, Button, Content, Flex } from "@patternfly/react-core";
import { useState } from "react";

import { request } from "../../api/client";
import { useSession } from "../../app/session";
import { FormDialog } from "../../components/FormDialog";
import { TextField } from "../../components/TextField";
import { plural } from "../../lib/format";
import { useAction } from "../../lib/useAction";
import { RecoveryCodes } from "./RecoveryCodes";
import { SecondFactorSetup } from "./SecondFactorSetup";

type Act = "set-up" | "give-up" | "new-codes";

const WORDS: Record<Exclude<Act, "set-up">, { title: string; description: string; button: string }> = {
  "give-up": {
    title: "Log in without a second factor",
    description: "From now on your password alone lets you in. Your recovery codes are worth nothing any more.",
    button: "Give it up",
  },
  "new-codes": {
    title: "New recovery codes",
    description: "Ten new codes take the place of those that are left.",
    button: "Make new codes",
  },
};

interface ConfirmProps {
  act: Exclude<Act, "set-up">;
  onCodes: (codes: string[]) => void;
  onClose: () => void;
}

/** Both acts ask for the password again. */
function ConfirmedByPassword({ act, onCodes, onClose }: ConfirmProps) {
  const { ask } = useSession();
  const [password, setPassword] = useState("");
  const action = useAction();
  const run = async () => {
    if (act === "give-up") {
      await request("DELETE", "/session/totp", { body: { password } });
    } else {
      const { body } = await request<{ recovery_codes: string[] }>("POST", "/session/recovery-codes", { body: { password } });
      onCodes(body.recovery_codes);
    }
    await ask();
    onClose();
  };
  return (
    <FormDialog
      {...WORDS[act]}
      ready={password !== ""}
      action={action}
      onSubmit={() => void action.run(run)}
      onClose={onClose}
    >
      <TextField
        id="proof"
        label="Your password"
        type="password"
        value={password}
        onChange={setPassword}
        autoComplete="current-password"
        errors={action.problem?.errors.password}
      />
    </FormDialog>
  );
}

function State() {
  const { session } = useSession();
  if (!session?.totp) {
    return (
      <Content component="p">
        Your password alone lets you in. With a second factor, a login also asks for six digits that an app on your
        phone shows.
      </Content>
    );
  }
  const left = session.recovery_codes ?? 0;
  return (
    <>
      <Content component="p">
        A login asks for the six digits of your authenticator. {plural(left, "recovery code is", "recovery codes are")} left.
      </Content>
      {left < 3 && <Alert component="p" variant="warning" isInline isPlain title="Make new recovery codes before they run out." />}
    </>
  );
}

export function SecondFactor() {
  const { session } = useSession();
  const [act, setAct] = useState<Act | null>(null);
  const [codes, setCodes] = useState<string[]>([]);
  const close = () => {
    setAct(null);
  };
  return (
    <div className="hapair-sentences">
      <State />
      <Flex gap={{ default: "gapSm" }}>
        {session?.totp ? (
          <>
            <Button variant="secondary" onClick={() => { setAct("new-codes"); }}>
              New recovery codes…
            </Button>
            <Button variant="secondary" isDanger onClick={() => { setAct("give-up"); }}>
              Give it up…
            </Button>
          </>
        ) : (
          <Button variant="secondary" onClick={() => { setAct("set-up"); }}>
            Set up a second factor…
          </Button>
        )}
      </Flex>
      {codes.length > 0 && <RecoveryCodes codes={codes} />}
      {act === "set-up" && <SecondFactorSetup onCodes={setCodes} onClose={close} />}
      {(act === "give-up" || act === "new-codes") && <ConfirmedByPassword act={act} onCodes={setCodes} onClose={close} />}
    </div>
  );
}
