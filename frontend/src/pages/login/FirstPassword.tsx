/** A password that somebody else has set opens nothing but this page. */

import { Button, Card, CardBody, CardTitle, Content, Title } from "@patternfly/react-core";
import { useEffect } from "react";

import { useSession } from "../../app/session";
import { useAction } from "../../lib/useAction";
import { PasswordForm } from "../account/PasswordForm";

export function FirstPassword() {
  const { session, logOut } = useSession();
  const leaving = useAction();
  useEffect(() => {
    document.title = "Choose a password · hapair";
  }, []);
  return (
    <main className="hapair-login">
      <Card className="hapair-login-card" isLarge>
        <CardTitle>
          <Title headingLevel="h1" size="2xl">
            Choose a password of your own
          </Title>
          <Content component="small">
            {session?.username}, your password was set by somebody else. Change it first; then the console opens.
          </Content>
        </CardTitle>
        <CardBody>
          <PasswordForm />
          <Button variant="link" isInline onClick={() => void leaving.run(logOut)}>
            Log out
          </Button>
        </CardBody>
      </Card>
    </main>
  );
}
