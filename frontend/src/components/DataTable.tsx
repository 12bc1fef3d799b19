/** A table that turns into a list of cards on a narrow screen, with a sentence in place of no rows. */

import "@patternfly/react-styles/css/components/Table/table.css";
import "@patternfly/react-styles/css/components/Table/table-grid.css";

import { Content } from "@patternfly/react-core";
import type { ReactNode } from "react";

export interface Column<Row> {
  title: string;
  cell: (row: Row) => ReactNode;
}

interface Props<Row> {
  caption: string;
  columns: Column<Row>[];
  rows: Row[];
  keyOf: (row: Row) => string;
  /** What will appear here. */
  empty: string;
}

export function DataTable<Row>({ caption, columns, rows, keyOf, empty }: Props<Row>) {
  if (rows.length === 0) {
    return (
      <Content component="p" className="hapair-quiet">
        {empty}
      </Content>
    );
  }
  return (
    <table className="pf-v6-c-table pf-m-grid-md pf-m-compact" aria-label={caption}>
      <thead className="pf-v6-c-table__thead">
        <tr className="pf-v6-c-table__tr">
          {columns.map((column) => (
            <th key={column.title} className="pf-v6-c-table__th pf-m-wrap" scope="col">
              {column.title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody className="pf-v6-c-table__tbody">
        {rows.map((row) => (
          <tr key={keyOf(row)} className="pf-v6-c-table__tr">
            {columns.map((column) => (
              <td key={column.title} className="pf-v6-c-table__td" data-label={column.title}>
                <div className="hapair-cell">{column.cell(row)}</div>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
