/** What the charts' marks stand for, as sentences: also for those who can't see or hover over the charts. */

import { Time } from "../../components/Time";
import { duration } from "../../lib/format";
import { eventText } from "../events/words";
import type { Seen } from "./useHistory";

const SHOWN_MAX = 8;

export function MarkList({ seen }: { seen: Seen }) {
  const outages = seen.samples
    .filter((sample) => sample.outageS > 0)
    .map(({ at, outageS }) => ({
      key: `outage ${at}`,
      at: new Date(at).toISOString(),
      text: `Writes were out for about ${duration(Number(outageS.toFixed(1)))}, as seen from this server.`,
    }));
  const events = seen.events.map((event) => ({ key: `event ${event.id}`, at: event.at, text: eventText(event) }));
  const lines = [...outages, ...events]
    .filter(({ at }) => Date.parse(at) >= seen.since)
    .sort((one, other) => other.at.localeCompare(one.at))
    .slice(0, SHOWN_MAX);
  if (lines.length === 0) return null;
  return (
    <ul className="hapair-sentences hapair-quiet" aria-label="Marks in the charts">
      {lines.map(({ key, at, text }) => (
        <li key={key}>
          <Time at={at} />: {text}
        </li>
      ))}
    </ul>
  );
}
