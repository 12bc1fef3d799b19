/** How ping, replication and mirror went, from the server's stored history and live from then on. */

import { Card, CardBody, CardTitle, Content, ToggleGroup, ToggleGroupItem } from "@patternfly/react-core";
import { useState } from "react";

import { ProblemAlert } from "../../components/ProblemAlert";
import { duration, milliseconds, plural } from "../../lib/format";
import type { Sample } from "../../lib/history";
import { LineChart, type Mark } from "./LineChart";
import { MarkList } from "./MarkList";
import { type Seen, type Span, useHistory } from "./useHistory";

const SPANS: { span: Span; text: string }[] = [
  { span: "hour", text: "1 h" },
  { span: "day", text: "24 h" },
  { span: "month", text: "30 d" },
];

function marksOf({ events, samples }: Seen): Mark[] {
  const happened = events.map((event) => ({ at: Date.parse(event.at), bad: false, key: `event ${event.id}` }));
  const outages = samples.filter((sample) => sample.outageS > 0);
  return [...happened, ...outages.map(({ at }) => ({ at, bad: true, key: `outage ${at}` }))];
}

function Charts({ seen }: { seen: Seen }) {
  const { samples, since, until, gapMs } = seen;
  const shown = samples.filter((sample) => sample.at >= since);
  const axis = { marks: marksOf(seen).filter((mark) => mark.at >= since), since, until, gapMs };
  return (
    <div className="hapair-charts">
      <LineChart
        title="Ping to the other server"
        text={milliseconds}
        points={shown.map(({ at, roundTripMs, missed }) => ({ at, value: roundTripMs, failed: missed > 0 }))}
        {...axis}
      />
      <LineChart
        title="Replication lag"
        text={duration}
        points={shown.map(({ at, lagS }) => ({ at, value: lagS }))}
        {...axis}
      />
      {shown.some((sample) => sample.filesLeft !== null) && (
        <LineChart
          title="Files left to copy"
          text={(count) => plural(count, "change", "changes")}
          points={shown.map(({ at, filesLeft }) => ({ at, value: filesLeft }))}
          {...axis}
        />
      )}
    </div>
  );
}

export function ChartsCard({ samples, refreshKey }: { samples: Sample[]; refreshKey: string }) {
  const [span, setSpan] = useState<Span>("hour");
  const seen = useHistory(span, samples, refreshKey);
  return (
    <Card component="section" data-testid="charts">
      <CardTitle component="h2">Over time</CardTitle>
      <CardBody className="hapair-fields">
        <ToggleGroup aria-label="How far back" isCompact>
          {SPANS.map((each) => (
            <ToggleGroupItem
              key={each.span}
              text={each.text}
              isSelected={span === each.span}
              onChange={() => {
                setSpan(each.span);
              }}
            />
          ))}
        </ToggleGroup>
        <ProblemAlert problem={seen.problem} onRetry={seen.reload} />
        <Charts seen={seen} />
        <Content component="small">
          Red ticks: pings that failed. Lines from top to bottom: events; red where writes were out. A gap: not known.
        </Content>
        <MarkList seen={seen} />
      </CardBody>
    </Card>
  );
}
