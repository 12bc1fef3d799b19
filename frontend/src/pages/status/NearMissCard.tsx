/** How close the pair came to a failover: a load that makes pings fail shows here before it shows as an outage. */

import { Card, CardBody, CardTitle, Content } from "@patternfly/react-core";

import type { Pings } from "../../api/model";
import { Time } from "../../components/Time";

export function NearMissCard({ pings }: { pings: Pings }) {
  const { near_miss: nearMiss, iterations } = pings;
  return (
    <Card component="section" isFullHeight data-testid="near-misses">
      <CardTitle component="h2">Near-misses</CardTitle>
      <CardBody>
        {nearMiss && nearMiss.missed > 0 ? (
          <Content component="p">
            Longest run of failed pings in 24 h: {nearMiss.missed} of {iterations}, <Time at={nearMiss.at} />.
          </Content>
        ) : (
          <Content component="p">No ping to the other server failed in the last 24 h.</Content>
        )}
      </CardBody>
    </Card>
  );
}
