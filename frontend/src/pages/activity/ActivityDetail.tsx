/** What an entry of the activity log has to say beside its columns: field by field, as text. */

import { valueText } from "../../lib/format";

export function ActivityDetail({ detail }: { detail: Record<string, unknown> }) {
  const entries = Object.entries(detail);
  if (entries.length === 0) return null;
  return (
    <ul>
      {entries.map(([name, value]) => (
        <li key={name}>
          {name}: {valueText(value)}
        </li>
      ))}
    </ul>
  );
}
