/** Sets the own password: the old one is asked for, the new one twice. */

import { ActionGroup, Alert, Button, Form } from "@patternfly/react-core";
import { type SyntheticEvent, useState } from "react";

import { request } from "../../api/client";
import type { Session } from "../../api/model";
import { useSession } from "../../app/session";
import { ProblemAlert } from "../../components/ProblemAlert";
import { TextField } from "../../components/TextField";
import { useAction } from "../../lib/useAction";

const LABELS = { current: "Current password", password: "New password" };

export function PasswordForm() {
  const { renewed } = useSession();
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [done, setDone] = useState(false);
  const action = useAction();
  const errors = action.problem?.errors ?? {};
  const differs = again !== "" && again !== password;

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    void action.run(async () => {
      const { body } = await request<Session>("PUT", "/session/password", { body: { current, password } });
      setCurrent("");
      setPassword("");
      setAgain("");
      setDone(true);
      renewed(body);
    });
  };

  return (
    <Form onSubmit={submit}>
      <ProblemAlert problem={action.problem} labels={LABELS} />
      {done && <Alert component="p" variant="success" isInline title="Your password is changed. Your other sessions have ended." />}
      <TextField
        id="current"
        label={LABELS.current}
        type="password"
        value={current}
        onChange={setCurrent}
        autoComplete="current-password"
        errors={errors.current}
      />
      <TextField
        id="new-password"
        label={LABELS.password}
        type="password"
        value={password}
        onChange={setPassword}
        autoComplete="new-password"
        errors={errors.password}
      />
      <TextField
        id="new-password-again"
        label="New password again"
        type="password"
        value={again}
        onChange={setAgain}
        autoComplete="new-password"
        errors={differs ? ["This differs from the new password."] : []}
      />
      <ActionGroup>
        <Button type="submit" isLoading={action.running} isDisabled={action.running || !current || !password || again !== password}>
          Change the password
        </Button>
      </ActionGroup>
    </Form>
  );
}
