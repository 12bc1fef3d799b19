/** The way to a second factor: the password, a QR code for the authenticator, and the first code as a proof. */

import { Content } from "@patternfly/react-core";
import { useState } from "react";

import { request } from "../../api/client";
import type { SecondFactorSecret } from "../../api/model";
import { useSession } from "../../app/session";
import { CopyText } from "../../components/CopyText";
import { FormDialog } from "../../components/FormDialog";
import { TextField } from "../../components/TextField";
import { useAction } from "../../lib/useAction";

interface Props {
  onCodes: (codes: string[]) => void;
  onClose: () => void;
}

function Secret({ secret }: { secret: SecondFactorSecret }) {
  return (
    <>
      <Content component="p">Scan this with the authenticator on your phone, then type the six digits that it shows.</Content>
      <img className="hapair-qr-code" src={secret.qr_code} alt="QR code of the secret below, for the authenticator" />
      <Content component="p">Where it can’t be scanned, type this secret:</Content>
      <CopyText text={secret.secret} label="Secret for the authenticator" />
    </>
  );
}

export function SecondFactorSetup({ onCodes, onClose }: Props) {
  const { ask } = useSession();
  const [password, setPassword] = useState("");
  const [secret, setSecret] = useState<SecondFactorSecret | null>(null);
  const [code, setCode] = useState("");
  const action = useAction();
  const errors = action.problem?.errors ?? {};

  const begin = async () => {
    setSecret((await request<SecondFactorSecret>("POST", "/session/totp", { body: { password } })).body);
  };
  const confirm = async () => {
    const { body } = await request<{ recovery_codes: string[] }>("PUT", "/session/totp", { body: { code: code.trim() } });
    onCodes(body.recovery_codes);
    await ask();
    onClose();
  };

  return (
    <FormDialog
      title="Set up a second factor"
      button={secret ? "Confirm" : "Go on"}
      ready={secret ? code.trim() !== "" : password !== ""}
      action={action}
      onSubmit={() => void action.run(secret ? confirm : begin)}
      onClose={onClose}
    >
      {secret ? (
        <>
          <Secret secret={secret} />
          <TextField
            id="first-code"
            label="Code"
            value={code}
            onChange={setCode}
            autoComplete="one-time-code"
            errors={errors.code}
          />
        </>
      ) : (
        <TextField
          id="proof"
          label="Your password"
          type="password"
          value={password}
          onChange={setPassword}
          autoComplete="current-password"
          errors={errors.password}
        />
      )}
    </FormDialog>
  );
}
