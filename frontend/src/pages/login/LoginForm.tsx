/** Name and password, then the code of the second factor where the user has one. */

import { ActionGroup, Button, Form } from "@patternfly/react-core";
import { type SyntheticEvent, useState } from "react";

import { asProblem } from "../../api/problem";
import { useSession } from "../../app/session";
import { ProblemAlert } from "../../components/ProblemAlert";
import { TextField } from "../../components/TextField";
import { useAction } from "../../lib/useAction";

/** The server has taken name and password, and asks for the code. */
const CODE_NEEDED = "code-needed";

export function LoginForm({ username: known = "" }: { username?: string }) {
  const { logIn } = useSession();
  const [username, setUsername] = useState(known);
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [codeAsked, setCodeAsked] = useState(false);
  const action = useAction();

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    void action.run(async () => {
      try {
        await logIn(username, password, codeAsked ? code.trim() : undefined);
      } catch (error) {
        if (asProblem(error).code !== CODE_NEEDED) throw error;
        setCodeAsked(true);
      }
    });
  };
  const ready = username !== "" && password !== "" && (!codeAsked || code.trim() !== "");

  return (
    <Form onSubmit={submit}>
      <ProblemAlert problem={action.problem} />
      <TextField id="username" label="User name" value={username} onChange={setUsername} autoComplete="username" />
      <TextField
        id="password"
        label="Password"
        type="password"
        value={password}
        onChange={setPassword}
        autoComplete="current-password"
      />
      {codeAsked && (
        <TextField
          id="code"
          label="Code"
          value={code}
          onChange={setCode}
          autoComplete="one-time-code"
          help="The six digits that your authenticator shows now, or one of your recovery codes."
        />
      )}
      <ActionGroup>
        <Button type="submit" isBlock isLoading={action.running} isDisabled={action.running || !ready}>
          Log in
        </Button>
      </ActionGroup>
    </Form>
  );
}
