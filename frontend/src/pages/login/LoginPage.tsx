import { Card, CardBody, CardTitle, Content, Title } from "@patternfly/react-core";
import { useEffect } from "react";

import { LoginForm } from "./LoginForm";

export function LoginPage() {
  useEffect(() => {
    document.title = "Log in · hapair";
  }, []);

  return (
    <main className="hapair-login">
      <Card className="hapair-login-card" isLarge>
        <CardTitle>
          <Title headingLevel="h1" size="2xl">
            hapair
          </Title>
          <Content component="small">Console of {window.location.host}</Content>
        </CardTitle>
        <CardBody>
          <LoginForm />
        </CardBody>
      </Card>
    </main>
  );
}
