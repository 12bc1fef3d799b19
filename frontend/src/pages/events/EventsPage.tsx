import { useLiveStatus } from "../../app/live";
import type { EventEntry } from "../../api/model";
import { LogPage } from "../../components/LogPage";
import { EVENT_COLUMNS } from "./columns";
import { eventKey } from "./eventKey";

export default function EventsPage() {
  const { status } = useLiveStatus();
  return (
    <LogPage<EventEntry>
      title="Events"
      explanation="What happened to the pair, as recorded on this server."
      path="/ha/events"
      refreshKey={eventKey(status)}
      columns={EVENT_COLUMNS}
      keyOf={(event) => String(event.id)}
      empty="Failovers, role swaps, a lost secondary and replication alarms will be listed here."
    />
  );
}
