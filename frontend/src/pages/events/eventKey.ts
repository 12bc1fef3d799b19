/** Changes whenever something happened to the pair that may have left an event. */

import type { Status } from "../../api/model";

export function eventKey(status: Status | null): string {
  if (!status) return "";
  const alarms = status.alarms.map((alarm) => alarm.code).join(" ");
  return `${status.status} ${status.node.role} ${status.term} ${alarms}`;
}
