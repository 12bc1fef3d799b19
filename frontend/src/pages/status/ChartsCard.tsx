/** How ping, replication and mirror went while this console was open. */

import { Card, CardBody, CardTitle } from "@patternfly/react-core";

import { duration, milliseconds, plural } from "../../lib/format";
import type { Sample } from "../../lib/history";
import { LineChart } from "./LineChart";

/** Fewer points are no line. */
const POINTS_MIN = 3;

export function ChartsCard({ samples }: { samples: Sample[] }) {
  const first = samples[0];
  const last = samples.at(-1);
  if (!first || !last || samples.length < POINTS_MIN) return null;
  const span = duration(Math.round((last.at - first.at) / 1_000));
  const hasLag = samples.some((sample) => sample.lagS !== null);
  const hasFiles = samples.some((sample) => sample.filesLeft !== null);

  return (
    <Card component="section" data-testid="charts">
      <CardTitle component="h2">Seen in the last {span}</CardTitle>
      <CardBody className="hapair-charts">
        <LineChart
          title="Ping to the other server"
          text={milliseconds}
          points={samples.map(({ at, roundTripMs, missed }) => ({ at, value: roundTripMs, failed: missed > 0 }))}
        />
        {hasLag && (
          <LineChart
            title="Replication lag"
            text={duration}
            points={samples.map(({ at, lagS }) => ({ at, value: lagS }))}
          />
        )}
        {hasFiles && (
          <LineChart
            title="Files left to copy"
            text={(count) => plural(count, "change", "changes")}
            points={samples.map(({ at, filesLeft }) => ({ at, value: filesLeft }))}
          />
        )}
      </CardBody>
    </Card>
  );
}
