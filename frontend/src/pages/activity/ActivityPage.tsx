import type { ActivityEntry } from "../../api/model";
import type { Column } from "../../components/DataTable";
import { LogPage } from "../../components/LogPage";
import { TextFilter } from "../../components/TextFilter";
import { Time } from "../../components/Time";
import { useQuery } from "../../lib/useQuery";
import { ActivityDetail } from "./ActivityDetail";

const COLUMNS: Column<ActivityEntry>[] = [
  { title: "When", cell: (entry) => <Time at={entry.at} /> },
  { title: "Who", cell: (entry) => (entry.address ? `${entry.actor} from ${entry.address}` : entry.actor) },
  { title: "On", cell: (entry) => entry.node },
  { title: "What", cell: (entry) => `${entry.action}: ${entry.outcome}` },
  { title: "Detail", cell: (entry) => <ActivityDetail detail={entry.detail} /> },
];

export default function ActivityPage() {
  const query = useQuery();
  return (
    <LogPage<ActivityEntry>
      title="Activity"
      explanation="Who changed what, from where, and on which server."
      path="/activity"
      columns={COLUMNS}
      keyOf={(entry) => String(entry.id)}
      empty="Logins and changes will be listed here. If a filter is set, nothing matches it."
      filters={
        <>
          <TextFilter key={`actor ${query.value("actor")}`} name="actor" label="Who" query={query} />
          <TextFilter key={`node ${query.value("node")}`} name="node" label="On" query={query} />
          <TextFilter key={`action ${query.value("action")}`} name="action" label="What" query={query} />
        </>
      }
    />
  );
}
