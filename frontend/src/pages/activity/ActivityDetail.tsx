/** What an entry of the activity log has to say beside its columns: field by field, as text. */

import { Link } from "wouter";

import { valueText } from "../../lib/format";

interface Change {
  field: string;
  from: unknown;
  to: unknown;
}

function isChange(value: unknown): value is Change {
  return typeof value === "object" && value !== null && "field" in value && "from" in value && "to" in value;
}

/** The lines for one entry of the detail: a list of changed fields has one for each. */
function linesOf(name: string, value: unknown): { key: string; text: string }[] {
  if (!Array.isArray(value) || !value.every(isChange)) return [{ key: name, text: `${name}: ${valueText(value)}` }];
  return value.map(({ field, from, to }) => ({ key: field, text: `${field}: ${valueText(from)} → ${valueText(to)}` }));
}

export function ActivityDetail({ detail }: { detail: Record<string, unknown> }) {
  const { job, ...rest } = detail;
  const lines = Object.entries(rest).flatMap(([name, value]) => linesOf(name, value));
  if (lines.length === 0 && typeof job !== "string") return null;
  return (
    <ul>
      {lines.map(({ key, text }) => (
        <li key={key}>{text}</li>
      ))}
      {typeof job === "string" && (
        <li>
          <Link href={`/jobs/${encodeURIComponent(job)}`}>its job</Link>
        </li>
      )}
    </ul>
  );
}
