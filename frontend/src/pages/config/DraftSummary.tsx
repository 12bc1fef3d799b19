/** What stands between the applied configuration and the draft, and who saved it. */

import { Alert, Card, CardBody, CardTitle, Content } from "@patternfly/react-core";

import type { Change, Config } from "../../api/model";
import { DataTable } from "../../components/DataTable";
import { Time } from "../../components/Time";
import { plural, valueText } from "../../lib/format";

const LONG_TEXT = 120;

/** A script would fill the table: its size says enough here, the field above shows it. */
function brief(value: unknown): string {
  const text = valueText(value);
  return text.length > LONG_TEXT || text.includes("\n") ? `${plural(text.length, "character", "characters")} of text` : text;
}

const COLUMNS = [
  { title: "Field", cell: (change: Change) => <span className="hapair-mono">{change.field}</span> },
  { title: "Applied", cell: (change: Change) => brief(change.from) },
  { title: "Draft", cell: (change: Change) => brief(change.to) },
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
    <Card component="section" isCompact>
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
