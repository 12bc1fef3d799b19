import { ActionGroup, Alert, Button, Card, CardBody, CardTitle, Content, Form } from "@patternfly/react-core";
import { type SyntheticEvent, useState } from "react";

import type { Answer } from "../../api/client";
import type { AlertSettings, WebhookShown } from "../../api/model";
import { useMayChange } from "../../app/session";
import { ProblemAlert } from "../../components/ProblemAlert";
import { TrialResult } from "./TrialResult";
import { useSaving } from "./useSaving";
import { useTrial } from "./useTrial";
import { shown, type Typed } from "./webhook";
import { WebhookFields } from "./WebhookFields";

interface Props {
  webhook: WebhookShown | null;
  etag: string | null;
  onSaved: (settings: Answer<AlertSettings>) => void;
  onStale: () => void;
}

export function WebhookCard({ webhook, etag, onSaved, onStale }: Props) {
  const mayChange = useMayChange();
  const [typed, setTyped] = useState<Typed>({});
  const onDone = () => {
    setTyped({});
  };
  const { action, save, forget } = useSaving("/ha/alerts/webhook", etag, { onSaved, onStale, onDone });
  const trial = useTrial("webhook");
  const { url, authority } = shown(webhook, typed);
  const isEdited = Object.keys(typed).length > 0;

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    // Left out, the kept secret stays.
    const secret = typed.secret === undefined ? {} : { secret: typed.secret };
    save({ url, authority, ...secret });
  };
  const change = (name: keyof Typed) => (text: string) => {
    setTyped((before) => ({ ...before, [name]: text }));
  };

  return (
    <Card component="section" data-testid="webhook">
      <CardTitle component="h2">Webhook</CardTitle>
      <CardBody className="hapair-sentences">
        <Content component="p">
          {webhook ? `Each event is posted to ${webhook.url} as JSON.` : "Events can be posted as JSON to an address of yours; none is set."}
        </Content>
        {webhook?.warnings.map((warning) => (
          <Alert component="p" key={warning} variant="warning" isInline isPlain title={warning} />
        ))}
        {mayChange && (
          <Form onSubmit={submit} className="hapair-form">
            <ProblemAlert problem={action.problem} onClose={action.clear} />
            <WebhookFields webhook={webhook} typed={typed} errors={action.problem?.errors ?? {}} change={change} />
            <ActionGroup>
              <Button type="submit" isDisabled={!isEdited || url === "" || action.running} isLoading={action.running}>
                Save
              </Button>
              {webhook && (
                <>
                  <Button variant="secondary" isDisabled={isEdited || trial.action.running} isLoading={trial.action.running} onClick={() => { trial.start(); }}>
                    Post a test event
                  </Button>
                  <Button variant="link" isDisabled={action.running} onClick={forget}>
                    Post no more
                  </Button>
                </>
              )}
            </ActionGroup>
          </Form>
        )}
        <TrialResult trial={trial} />
      </CardBody>
    </Card>
  );
}
