import { useState } from "react";

import { request } from "../../api/client";
import type { User } from "../../api/model";
import { FormDialog } from "../../components/FormDialog";
import { TextField } from "../../components/TextField";
import { useAction } from "../../lib/useAction";

interface Props {
  user: User;
  onDone: () => void;
  onClose: () => void;
}

export function SetPassword({ user, onDone, onClose }: Props) {
  const [password, setPassword] = useState("");
  const action = useAction();
  const set = async () => {
    await request("PUT", `/users/${encodeURIComponent(user.name)}/password`, { body: { password } });
    onDone();
  };
  return (
    <FormDialog
      title={`Set a password for ${user.name}`}
      description="All their sessions end, and they must choose a password of their own when they next log in."
      button="Set the password"
      ready={password !== ""}
      action={action}
      onSubmit={() => void action.run(set)}
      onClose={onClose}
    >
      <TextField
        id="set-password"
        label="Password"
        type="password"
        autoComplete="new-password"
        value={password}
        onChange={setPassword}
        errors={action.problem?.errors.password}
      />
    </FormDialog>
  );
}
