import { ActionGroup, Alert, Button, Card, CardBody, CardTitle, Content, Form } from "@patternfly/react-core";
import type { SyntheticEvent } from "react";
import { Link } from "wouter";

import type { Answer } from "../../api/client";
import type { AlertSettings, MailShown } from "../../api/model";
import { useMayChange } from "../../app/session";
import { ProblemAlert } from "../../components/ProblemAlert";
import { MailFields } from "./MailFields";
import { TrialResult } from "./TrialResult";
import { useMailForm } from "./useMailForm";
import { useSaving } from "./useSaving";
import { useTrial } from "./useTrial";

interface Props {
  mail: MailShown;
  etag: string | null;
  onSaved: (settings: Answer<AlertSettings>) => void;
  onStale: () => void;
}

function Recipient({ mail }: { mail: MailShown }) {
  return (
    <Content component="p">
      {mail.to ? (
        <>
          Mails go to <strong>{mail.to}</strong> (<Link href="/config">HAAlertEmail</Link>).
        </>
      ) : (
        <>
          No mails are sent: <Link href="/config">HAAlertEmail</Link> is empty.
        </>
      )}{" "}
      {!mail.saved && "The mail server is the one that the installation was given."}
    </Content>
  );
}

export function MailCard({ mail, etag, onSaved, onStale }: Props) {
  const mayChange = useMayChange();
  const form = useMailForm(mail);
  const { action, save, forget } = useSaving("/ha/alerts/mail", etag, { onSaved, onStale, onDone: form.reset });
  const trial = useTrial("mail");

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    save(form.input);
  };

  return (
    <Card component="section" data-testid="mail">
      <CardTitle component="h2">Mail</CardTitle>
      <CardBody className="hapair-sentences">
        <Recipient mail={mail} />
        {mail.warnings.map((warning) => (
          <Alert component="p" key={warning} variant="warning" isInline isPlain title={warning} />
        ))}
        {!mayChange && (
          <Content component="p">
            Mail server {mail.host}, port {mail.port}, from {mail.sender}.
          </Content>
        )}
        {mayChange && (
          <Form onSubmit={submit} className="hapair-form">
            <ProblemAlert problem={action.problem} onClose={action.clear} />
            <MailFields mail={mail} form={form} errors={action.problem?.errors ?? {}} />
            <ActionGroup>
              <Button type="submit" isDisabled={!form.isEdited || action.running} isLoading={action.running}>
                Save
              </Button>
              <Button variant="secondary" isDisabled={form.isEdited || trial.action.running} isLoading={trial.action.running} onClick={() => { trial.start(); }}>
                Send a test mail
              </Button>
              {mail.saved && (
                <Button variant="link" isDisabled={action.running} onClick={forget}>
                  Back to the installation’s mail server
                </Button>
              )}
            </ActionGroup>
          </Form>
        )}
        <TrialResult trial={trial} />
      </CardBody>
    </Card>
  );
}
