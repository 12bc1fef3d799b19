import { Card, CardBody, CardTitle } from "@patternfly/react-core";
import { Link } from "wouter";

import { get } from "../../api/client";
import type { EventEntry, Listing } from "../../api/model";
import { DataTable } from "../../components/DataTable";
import { ProblemAlert } from "../../components/ProblemAlert";
import { useResource } from "../../lib/useResource";
import { EVENT_COLUMNS } from "../events/columns";

const SHOWN = 5;

/** `refreshKey` changes when something happened that may have left an event. */
export function LastEvents({ refreshKey }: { refreshKey: string }) {
  const path = `/ha/events?limit=${SHOWN}`;
  const events = useResource(`${path} ${refreshKey}`, (signal) => get<Listing<EventEntry>>(path, signal));
  return (
    <Card component="section" data-testid="last-events">
      <CardTitle component="h2">
        Last events
      </CardTitle>
      <CardBody className="hapair-sentences">
        <ProblemAlert problem={events.problem} onRetry={events.reload} />
        {events.value && (
          <DataTable
            caption="Last events"
            columns={EVENT_COLUMNS}
            rows={events.value.items}
            keyOf={(event) => String(event.id)}
            empty="Failovers, swaps and alarms will be listed here."
          />
        )}
        <Link href="/events">All events</Link>
      </CardBody>
    </Card>
  );
}
