/** What a rescue holds, in numbers. */

import type { Rescue } from "../../api/model";
import { bytes, plural } from "../../lib/format";

export function RescueContents({ rescue }: { rescue: Rescue }) {
  const tables = Object.entries(rescue.rows_by_table);
  return (
    <ul>
      {rescue.transactions > 0 && <li>{plural(rescue.transactions, "transaction", "transactions")}</li>}
      {rescue.arrived > 0 && (
        <li>{plural(rescue.arrived, "transaction", "transactions")} more counted as lost, but arrived at the other server</li>
      )}
      {tables.map(([table, rows]) => (
        <li key={table}>
          {table}: {plural(rows, "row", "rows")}
        </li>
      ))}
      <li>
        {plural(rescue.files, "file", "files")}, {bytes(rescue.bytes)}
      </li>
    </ul>
  );
}
