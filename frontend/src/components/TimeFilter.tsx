/** A filter by time: typed in the reader's zone, sent with the zone named. */

import { TextInput } from "@patternfly/react-core";

import type { Query } from "../lib/useQuery";

interface Props {
  name: string;
  label: string;
  query: Query;
}

const MINUTE_MS = 60_000;

/** The time as the browser's control writes it, in the reader's zone; empty where it is none. */
function localText(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return "";
  return new Date(at.getTime() - at.getTimezoneOffset() * MINUTE_MS).toISOString().slice(0, 16);
}

export function TimeFilter({ name, label, query }: Props) {
  const current = query.value(name);
  return (
    <label className="hapair-time-filter">
      <span>{label}</span>
      <TextInput
        className="hapair-filter"
        type="datetime-local"
        aria-label={label}
        value={localText(current)}
        onChange={(_event, value) => {
          const at = new Date(value);
          query.change({ [name]: Number.isNaN(at.getTime()) ? "" : at.toISOString(), before: "" });
        }}
      />
    </label>
  );
}
