/** What stands between the applied configuration and the draft, and who saved it. */

import { Alert, Card, CardBody, CardTitle, Content } from "@patternfly/react-core";
import type { ReactNode } from "react";

import type { Change, Config } from "../../api/model";
import { DataTable } from "../../components/DataTable";
import { Time } from "../../components/Time";
import { difference } from "../../lib/difference";
import { plural, valueText } from "../../lib/format";

const LONG_TEXT = 120;

function isLong(value: unknown): value is string {
  return typeof value === "string" && (value.length > LONG_TEXT || value.includes("\n"));
}

/** One side of a change; of a script only the lines that differ. */
function side({ from, to }: Change, which: "applied" | "draft"): ReactNode {
  if (!isLong(from) && !isLong(to)) return valueText(which === "applied" ? from : to);
  const [applied, draft] = difference(String(from), String(to));
  return <pre className="hapair-output hapair-mono">{which === "applied" ? applied : draft}</pre>;
}

const COLUMNS = [
  { title: "Field", cell: (change: Change) => <span className="hapair-mono">{change.field}</span> },
  { title: "Applied", cell: (change: Change) => side(change, "applied") },
  { title: "Draft", cell: (change: Change) => side(change, "draft") },
];

function SavedBy({ config }: { config: Config }) {
  if (!config.saved_at) return null;
  return (
    <>
      , saved <Time at={config.saved_at} />
      {config.saved_by && ` by ${config.saved_by}`}
    </>
  );
}

export function DraftSummary({ config }: { config: Config }) {
  if (!config.draft) {
    return (
      <Content component="p" className="hapair-quiet" data-testid="draft-state">
        There is no draft: this is the applied configuration.
      </Content>
    );
  }
  return (
    <Card component="section">
      <CardTitle component="h2" data-testid="draft-state">
        This is a draft: {plural(config.changes.length, "change", "changes")}
        <SavedBy config={config} />
      </CardTitle>
      <CardBody>
        {config.failed && (
          <Alert component="p" variant="danger" isInline title="The last APPLY of this draft failed">
            {config.failed}
          </Alert>
        )}
        <DataTable
          caption="Differences between the draft and the applied configuration"
          columns={COLUMNS}
          rows={config.changes}
          keyOf={(change) => change.field}
          empty="The draft is the same as what is applied."
        />
      </CardBody>
    </Card>
  );
}
