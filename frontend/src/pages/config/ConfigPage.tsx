/** The manual's panel "HA Configuration": draft, checks, APPLY, and the job that follows. */

import { Alert, Card, CardBody, Stack, StackItem } from "@patternfly/react-core";
import { useEffect, useRef, useState } from "react";

import { useLiveStatus } from "../../app/live";
import { useMayChange } from "../../app/session";
import { ActDialog } from "../../acts/ActDialog";
import { Loading } from "../../components/Loading";
import { Notice } from "../../components/Notice";
import { PageTitle } from "../../components/PageTitle";
import { ProblemAlert } from "../../components/ProblemAlert";
import { JobDialog } from "../../jobs/JobDialog";
import type { Config } from "../../api/model";
import { applySpec, retry } from "./apply";
import { Buttons } from "./Buttons";
import { ConfigForm } from "./ConfigForm";
import { DraftConflict } from "./DraftConflict";
import { DraftSummary } from "./DraftSummary";
import { roleOf } from "./rules";
import { setupSteps } from "./setup";
import { SetupGuide } from "./SetupGuide";
import { type ConfigEditor, useConfigEditor } from "./useConfigEditor";

/** What this server is can change without this page: by a failover, or from another console. Edits are never touched. */
function useFreshConfig(editor: ConfigEditor) {
  const { status } = useLiveStatus();
  const { isEdited, resource } = editor;
  const { reload } = resource;
  const seen = status ? `${status.node.role} ${status.node.phase} ${status.job?.id ?? ""}` : null;
  const loadedFor = useRef(seen);
  useEffect(() => {
    const changed = loadedFor.current !== null && loadedFor.current !== seen;
    if (isEdited) return;
    loadedFor.current = seen;
    if (changed) reload();
  }, [seen, isEdited, reload]);
}

function Panel({ editor, config }: { editor: ConfigEditor; config: Config }) {
  const { status } = useLiveStatus();
  const mayChange = useMayChange();
  const [asking, setAsking] = useState(false);
  const [jobId, setJobId] = useState<string | null>(null);
  const applied = roleOf(config.applied);
  const drafted = roleOf(editor.values);
  const labels = Object.fromEntries(config.fields.map((field) => [field.name, field.label]));

  const start = (id: string) => {
    setAsking(false);
    setJobId(id);
  };
  const close = () => {
    setJobId(null);
    editor.resource.reload();
  };

  return (
    <Stack hasGutter>
      <SetupGuide
        undecided={applied === "standalone" && drafted === "standalone"}
        steps={setupSteps({ applied, drafted, draftSaved: config.draft !== null, phase: status?.node.phase ?? null })}
      />
      <Notice of={editor.conflict}>
        <DraftConflict editor={editor} />
      </Notice>
      <Notice of={editor.action.problem}>
        <ProblemAlert problem={editor.action.problem} onClose={editor.action.clear} labels={labels} />
      </Notice>
      <Card>
        <CardBody>
          <ConfigForm editor={editor} fields={config.fields} applied={applied} />
        </CardBody>
      </Card>
      {config.state === "applying" && <Alert component="p" variant="info" isInline title="An APPLY is under way on this server." />}
      <DraftSummary config={config} />
      {mayChange && (
        <Buttons
          editor={editor}
          config={config}
          onApply={() => {
            setAsking(true);
          }}
          onRetry={() => void editor.action.run(async () => { start(await retry()); })}
        />
      )}
      {asking && (
        <ActDialog
          spec={applySpec(config, status, start)}
          onClose={() => {
            setAsking(false);
          }}
        />
      )}
      <JobDialog
        id={jobId}
        title="APPLY"
        onClose={close}
        onRetry={() => void editor.action.run(async () => { start(await retry()); })}
      />
    </Stack>
  );
}

export default function ConfigPage() {
  const editor = useConfigEditor();
  const { resource, config } = editor;
  useFreshConfig(editor);
  return (
    <Stack hasGutter>
      <StackItem>
        <PageTitle title="HA Configuration">
          SAVE keeps a draft on this server; nothing changes until APPLY.
        </PageTitle>
      </StackItem>
      <StackItem>
        <ProblemAlert problem={resource.problem} onRetry={resource.reload} />
        {!config && resource.loading && <Loading what="the configuration" />}
        {config && <Panel editor={editor} config={config} />}
      </StackItem>
    </Stack>
  );
}
