import { ActionGroup, Button, Form, FormGroup, TextInput } from "@patternfly/react-core";
import { type SyntheticEvent, useState } from "react";

import { useSession } from "../../app/session";
import { ProblemAlert } from "../../components/ProblemAlert";
import { useAction } from "../../lib/useAction";

export function LoginForm({ username: known = "" }: { username?: string }) {
  const { logIn } = useSession();
  const [username, setUsername] = useState(known);
  const [password, setPassword] = useState("");
  const action = useAction();

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    void action.run(async () => {
      await logIn(username, password);
      setPassword("");
    });
  };

  return (
    <Form onSubmit={submit}>
      <ProblemAlert problem={action.problem} />
      <FormGroup label="User name" fieldId="username" isRequired>
        <TextInput
          id="username"
          isRequired
          autoComplete="username"
          value={username}
          onChange={(_event, value) => {
            setUsername(value);
          }}
        />
      </FormGroup>
      <FormGroup label="Password" fieldId="password" isRequired>
        <TextInput
          id="password"
          type="password"
          isRequired
          autoComplete="current-password"
          value={password}
          onChange={(_event, value) => {
            setPassword(value);
          }}
        />
      </FormGroup>
      <ActionGroup>
        <Button type="submit" isBlock isLoading={action.running} isDisabled={action.running || !username || !password}>
          Log in
        </Button>
      </ActionGroup>
    </Form>
  );
}
