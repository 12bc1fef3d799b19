import { FormGroup, Radio } from "@patternfly/react-core";
import { useState } from "react";

import { post } from "../../api/client";
import type { User } from "../../api/model";
import { FormDialog } from "../../components/FormDialog";
import { TextField } from "../../components/TextField";
import { useAction } from "../../lib/useAction";

const ROLES: { role: User["role"]; text: string }[] = [
  { role: "administrator", text: "Sees and changes everything." },
  { role: "auditor", text: "Sees the status and the logs, changes nothing." },
];

export function AddUser({ onDone, onClose }: { onDone: () => void; onClose: () => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState<User["role"]>("administrator");
  const action = useAction();
  const errors = action.problem?.errors ?? {};
  const add = async () => {
    await post("/users", { name: name.trim(), password, role });
    onDone();
  };
  return (
    <FormDialog
      title="Add a user"
      description="They must choose a password of their own when they first log in."
      button="Add"
      ready={name.trim() !== "" && password !== ""}
      action={action}
      onSubmit={() => void action.run(add)}
      onClose={onClose}
    >
      <TextField id="user-name" label="Name" value={name} onChange={setName} errors={errors.name} />
      <TextField
        id="first-password"
        label="First password"
        type="password"
        autoComplete="new-password"
        value={password}
        onChange={setPassword}
        errors={errors.password}
      />
      <FormGroup label="Role" role="radiogroup" fieldId="user-role">
        {ROLES.map((each) => (
          <Radio
            key={each.role}
            id={`user-role-${each.role}`}
            name="user-role"
            label={each.role}
            description={each.text}
            isChecked={role === each.role}
            onChange={() => { setRole(each.role); }}
          />
        ))}
      </FormGroup>
    </FormDialog>
  );
}
