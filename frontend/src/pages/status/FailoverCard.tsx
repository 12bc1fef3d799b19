/** Would a failover work now, what would it take, and if not, why not. */

import { Card, CardBody, CardTitle, Content, Label } from "@patternfly/react-core";
import { Link } from "wouter";

import type { Status } from "../../api/model";
import { duration, plural } from "../../lib/format";
import { ReasonList } from "./ReasonList";

function windowSentence({ pings, node, peer }: Status): string {
  const standby = node.role === "secondary" ? node.hostname : (peer?.hostname ?? "the other server");
  if (!pings) return `${standby} would take over.`;
  const { interval_s: interval, iterations } = pings;
  const window = duration(interval * iterations);
  return `${standby} would take over after ${window} (${plural(iterations, "ping", "pings")} × ${duration(interval)}).`;
}

export function FailoverCard({ status }: { status: Status }) {
  const { ready, reasons } = status.failover;
  const primary = status.node.role === "primary" ? status.node.hostname : (status.peer?.hostname ?? "the primary");
  return (
    <Card component="section" data-testid="failover">
      <CardTitle component="h2">
        If {primary} failed now{" "}
        <Label color={ready ? "green" : "orange"}>{ready ? "failover ready" : "failover not ready"}</Label>
      </CardTitle>
      <CardBody>
        <Content component="p">
          {ready ? windowSentence(status) : "No server would take over by itself."} <Link href="/config">Change</Link>
        </Content>
        <ReasonList reasons={reasons} label="Why" />
      </CardBody>
    </Card>
  );
}
