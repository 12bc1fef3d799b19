/** Where this server's alerts go: mail, webhook, custom script; each can be tried. */

import { Content, Stack } from "@patternfly/react-core";

import { type Answer, request } from "../../api/client";
import type { AlertSettings } from "../../api/model";
import { Loading } from "../../components/Loading";
import { PageTitle } from "../../components/PageTitle";
import { ProblemAlert } from "../../components/ProblemAlert";
import { plural } from "../../lib/format";
import { useResource } from "../../lib/useResource";
import { MailCard } from "./MailCard";
import { ScriptCard } from "./ScriptCard";
import { WebhookCard } from "./WebhookCard";

function Waiting({ settings }: { settings: AlertSettings }) {
  const { mail, webhook, script } = settings.waiting;
  if (mail + webhook + script === 0) return null;
  return (
    <Content component="p" data-testid="waiting">
      Waiting to go out: {plural(mail, "mail", "mails")}, {plural(webhook, "webhook call", "webhook calls")},{" "}
      {plural(script, "run of the script", "runs of the script")}.
    </Content>
  );
}

export default function AlertsPage() {
  const settings = useResource<Answer<AlertSettings>>("/ha/alerts", (signal) =>
    request<AlertSettings>("GET", "/ha/alerts", { signal }),
  );
  const { value, reload, set } = settings;
  return (
    <Stack hasGutter>
      <PageTitle title="Alerts">
        Who hears of an event: each server has its own mail server, webhook and script, and tells of each event once.
      </PageTitle>
      <ProblemAlert problem={settings.problem} onRetry={reload} />
      {!value && settings.loading && <Loading what="the alert settings" />}
      {value && (
        <>
          <Waiting settings={value.body} />
          <MailCard mail={value.body.mail} etag={value.etag} onSaved={set} onStale={reload} />
          <WebhookCard webhook={value.body.webhook} etag={value.etag} onSaved={set} onStale={reload} />
          <ScriptCard />
        </>
      )}
    </Stack>
  );
}
