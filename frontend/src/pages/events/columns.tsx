import type { EventEntry } from "../../api/model";
import type { Column } from "../../components/DataTable";
import { Time } from "../../components/Time";
import { eventText } from "./words";

export const EVENT_COLUMNS: Column<EventEntry>[] = [
  { title: "When", cell: (event) => <Time at={event.at} /> },
  { title: "What", cell: (event) => eventText(event) },
  { title: "On", cell: (event) => event.node },
  { title: "Detail", cell: (event) => event.detail },
];
