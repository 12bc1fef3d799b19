import { Button, Card, CardBody, CardTitle, Flex, Label } from "@patternfly/react-core";
import { useState } from "react";

import { ActDialog, type ActSpec } from "../../acts/ActDialog";
import { get } from "../../api/client";
import type { User } from "../../api/model";
import { useSession } from "../../app/session";
import { type Column, DataTable } from "../../components/DataTable";
import { Loading } from "../../components/Loading";
import { ProblemAlert } from "../../components/ProblemAlert";
import { Time } from "../../components/Time";
import { useResource } from "../../lib/useResource";
import { AddUser } from "./AddUser";
import { SetPassword } from "./SetPassword";
import { userActs } from "./userActs";

function Factor({ user }: { user: User }) {
  return (
    <>
      {user.totp ? `second factor, ${user.recovery_codes} recovery codes` : "password only"}
      {user.password_change_needed && (
        <>
          {" "}
          <Label isCompact color="orange">
            must choose a password
          </Label>
        </>
      )}
    </>
  );
}

interface Choices {
  own: string | undefined;
  onAct: (spec: ActSpec) => void;
  onPassword: (user: User) => void;
  onDone: () => void;
}

function Choices({ user, own, onAct, onPassword, onDone }: Choices & { user: User }) {
  const acts = userActs(user, onDone);
  return (
    <Flex gap={{ default: "gapSm" }}>
      {user.name !== own && (
        <Button variant="link" isInline onClick={() => { onPassword(user); }}>
          Set a password…
        </Button>
      )}
      {acts.map(({ label, spec }) => (
        <Button key={label} variant="link" isInline isDanger={spec.danger} onClick={() => { onAct(spec); }}>
          {label}
        </Button>
      ))}
    </Flex>
  );
}

function columns(choices: Choices): Column<User>[] {
  return [
    { title: "Name", cell: (user) => (user.name === choices.own ? `${user.name} (you)` : user.name) },
    { title: "Role", cell: (user) => <Label color={user.role === "auditor" ? "grey" : "purple"}>{user.role}</Label> },
    { title: "Logs in with", cell: (user) => <Factor user={user} /> },
    { title: "Password of", cell: (user) => <Time at={user.password_changed_at} /> },
    { title: "Sessions here", cell: (user) => user.sessions },
    { title: "Change", cell: (user) => <Choices user={user} {...choices} /> },
  ];
}

export function UsersCard() {
  const { session } = useSession();
  const users = useResource("/users", (signal) => get<{ items: User[] }>("/users", signal));
  const [act, setAct] = useState<ActSpec | null>(null);
  const [adding, setAdding] = useState(false);
  const [passwordOf, setPasswordOf] = useState<User | null>(null);
  const done = () => {
    setAct(null);
    setAdding(false);
    setPasswordOf(null);
    users.reload();
  };
  const choices = { own: session?.username, onAct: setAct, onPassword: setPasswordOf, onDone: done };
  return (
    <Card component="section" data-testid="users">
      <CardTitle component="h2">Users</CardTitle>
      <CardBody className="hapair-sentences">
        <div>
          <Button variant="secondary" onClick={() => { setAdding(true); }}>
            Add a user…
          </Button>
        </div>
        <ProblemAlert problem={users.problem} onRetry={users.reload} />
        {!users.value && users.loading && <Loading what="the users" />}
        {users.value && (
          <DataTable
            caption="Users"
            columns={columns(choices)}
            rows={users.value.items}
            keyOf={(user) => user.name}
            empty="Administrators and auditors will be listed here."
          />
        )}
      </CardBody>
      {act && <ActDialog spec={act} onClose={() => { setAct(null); }} />}
      {adding && <AddUser onDone={done} onClose={() => { setAdding(false); }} />}
      {passwordOf && <SetPassword user={passwordOf} onDone={done} onClose={() => { setPasswordOf(null); }} />}
    </Card>
  );
}
