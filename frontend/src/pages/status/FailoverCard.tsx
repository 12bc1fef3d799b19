/** Would a failover work now, what would it take, and if not, why not. */

import { Card, CardBody, CardTitle, Content, Label } from "@patternfly/react-core";
import { Link } from "wouter";

import type { Status } from "../../api/model";
import { duration, plural } from "../../lib/format";
import { ReasonList } from "./ReasonList";

function windowSentence({ failover, pings, node, peer }: Status): string {
  const standby = node.role === "secondary" ? node.hostname : (peer?.hostname ?? "The other server");
  const window = duration(failover.window_s);
  const counted = pings ? ` (${plural(pings.iterations, "ping", "pings")} × ${duration(pings.interval_s)})` : "";
  return `${standby} would take over after ${window}${counted}.`;
}

export function FailoverCard({ status }: { status: Status }) {
  const { ready, reasons, lost_bound: lost } = status.failover;
  const primary = status.node.role === "primary" ? status.node.hostname : (status.peer?.hostname ?? "the primary");
  return (
    <Card component="section" data-testid="failover">
      <CardTitle component="h2">
        If {primary} failed now{" "}
        <Label color={ready ? "green" : "orange"}>{ready ? "failover ready" : "failover not ready"}</Label>
      </CardTitle>
      <CardBody className="hapair-sentences">
        <p>
          {ready ? windowSentence(status) : "A failover can't be counted on now."}{" "}
          {ready && <Link href="/config">Change this</Link>}
        </p>
        {reasons.length > 0 && <ReasonList reasons={reasons} label="Why not" />}
        {lost && <p>What could be lost: {lost}</p>}
        <Content component="small">
          Protection mode {status.protection.mode}: {status.protection.promise}{" "}
          {status.protection.holds ? "This holds right now." : "This does not hold right now."}
        </Content>
      </CardBody>
    </Card>
  );
}
