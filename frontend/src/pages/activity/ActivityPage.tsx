/** Who changed what: found by words, people, acts and time; exported; and checked for having been left as it was written. */

import { Button, ExpandableSection } from "@patternfly/react-core";
import { useState } from "react";

import { addressOf } from "../../api/client";
import type { ActivityEntry, ActivityListing } from "../../api/model";
import type { Column } from "../../components/DataTable";
import { LogPage } from "../../components/LogPage";
import { TextFilter } from "../../components/TextFilter";
import { Time } from "../../components/Time";
import { TimeFilter } from "../../components/TimeFilter";
import { type Query, useQuery } from "../../lib/useQuery";
import { ActivityDetail } from "./ActivityDetail";
import { ActivityNotes } from "./ActivityNotes";
import { ChainCheck } from "./ChainCheck";

const COLUMNS: Column<ActivityEntry>[] = [
  { title: "When", cell: (entry) => <Time at={entry.at} /> },
  { title: "Who", cell: (entry) => (entry.address ? `${entry.actor} from ${entry.address}` : entry.actor) },
  { title: "On", cell: (entry) => entry.node },
  { title: "What", cell: (entry) => `${entry.action}: ${entry.outcome}` },
  { title: "Detail", cell: (entry) => <ActivityDetail detail={entry.detail} /> },
];

const MORE = [
  { name: "node", label: "On" },
  { name: "action", label: "What" },
  { name: "outcome", label: "Outcome" },
  { name: "subject", label: "About" },
];
const TIMES = [
  { name: "since", label: "From" },
  { name: "until", label: "Before" },
];

/** The export has the filters of the page, and all entries, not one page of them. */
function exportAddress(query: Query, format: "csv" | "jsonl"): string {
  const parameters = new URLSearchParams(query.text);
  parameters.delete("before");
  parameters.set("format", format);
  return `${addressOf("/activity/export")}?${parameters.toString()}`;
}

function Filters({ query }: { query: Query }) {
  const set = [...MORE, ...TIMES].some(({ name }) => query.value(name) !== "");
  const [open, setOpen] = useState(set);
  return (
    <>
      <TextFilter key={`search ${query.value("search")}`} name="search" label="Search" query={query} />
      <TextFilter key={`actor ${query.value("actor")}`} name="actor" label="Who" query={query} />
      <ExpandableSection
        toggleText={open ? "Fewer filters" : "More filters"}
        isExpanded={open}
        onToggle={(_event, expanded) => {
          setOpen(expanded);
        }}
      >
        <div className="hapair-toolbar">
          {MORE.map(({ name, label }) => (
            <TextFilter key={`${name} ${query.value(name)}`} name={name} label={label} query={query} />
          ))}
          {TIMES.map(({ name, label }) => (
            <TimeFilter key={name} name={name} label={label} query={query} />
          ))}
        </div>
      </ExpandableSection>
    </>
  );
}

export default function ActivityPage() {
  const query = useQuery();
  return (
    <LogPage<ActivityEntry, ActivityListing>
      title="Activity"
      explanation="Who changed what, from where, and on which server."
      path="/activity"
      columns={COLUMNS}
      keyOf={(entry) => String(entry.id)}
      empty="Logins and changes will be listed here. If a filter is set, nothing matches it."
      filters={<Filters query={query} />}
      actions={
        <>
          <Button variant="secondary" component="a" href={exportAddress(query, "csv")} download>
            Export CSV
          </Button>
          <Button variant="secondary" component="a" href={exportAddress(query, "jsonl")} download>
            Export JSON
          </Button>
        </>
      }
      notes={(page) => <ActivityNotes page={page} />}
      below={<ChainCheck />}
    />
  );
}
