/** Two administrators on one draft: nobody's changes are lost without being asked. */

import { Alert, AlertActionLink } from "@patternfly/react-core";

import type { Values } from "../../api/model";
import { DataTable } from "../../components/DataTable";
import { valueText } from "../../lib/format";
import type { ConfigEditor } from "./useConfigEditor";

interface Row {
  field: string;
  mine: string;
  theirs: string;
}

const COLUMNS = [
  { title: "Field", cell: (row: Row) => <span className="hapair-mono">{row.field}</span> },
  { title: "Yours", cell: (row: Row) => row.mine },
  { title: "Saved by the other", cell: (row: Row) => row.theirs },
];

export function DraftConflict({ editor }: { editor: ConfigEditor }) {
  const { conflict, edits } = editor;
  if (!conflict) return null;
  const { config } = conflict;
  const theirs: Values = { ...config.applied, ...config.draft };
  const rows = Object.entries(edits).map(([field, mine]) => ({
    field,
    mine: valueText(mine),
    theirs: valueText(theirs[field]),
  }));
  return (
    <Alert component="p"
      variant="warning"
      isInline
      role="alert"
      title={`${config.saved_by ?? "Somebody else"} changed the configuration while you were editing`}
      actionLinks={
        <>
          <AlertActionLink onClick={editor.keepMine}>Keep my changes on top of theirs</AlertActionLink>
          <AlertActionLink onClick={editor.takeTheirs}>Take theirs and drop mine</AlertActionLink>
        </>
      }
    >
      <p>Nothing was saved. Choose, look at the form, and save again.</p>
      <DataTable
        caption="Your changes beside the saved draft"
        columns={COLUMNS}
        rows={rows}
        keyOf={(row) => row.field}
        empty="You have changed nothing since."
      />
    </Alert>
  );
}
