/** The first screen: is the pair well, would a failover work now, what happened, and what can be done. */

import { Card, CardBody, CardTitle, Grid, GridItem, Stack } from "@patternfly/react-core";

import { Link } from "wouter";

import { useLiveStatus } from "../../app/live";
import { Loading } from "../../components/Loading";
import { PageTitle } from "../../components/PageTitle";
import { ProblemAlert } from "../../components/ProblemAlert";
import { StatusLabel } from "../../components/StatusLabel";
import type { Status } from "../../api/model";
import type { Sample } from "../../lib/history";
import { STATUS } from "../../lib/words";
import { eventKey } from "../events/eventKey";
import { Actions } from "./Actions";
import { AlarmsCard } from "./AlarmsCard";
import { ChartsCard } from "./ChartsCard";
import { FailoverCard } from "./FailoverCard";
import { LastEvents } from "./LastEvents";
import { NearMissCard } from "./NearMissCard";
import { PairPicture } from "./PairPicture";
import { pictureOf } from "./picture";
import { ReasonList } from "./ReasonList";
import { RescuesNote } from "./RescuesNote";
import "./status.css";

function PairCard({ status }: { status: Status }) {
  const reasons = status.reasons.length > 0 ? status.reasons : [{ code: "", text: STATUS[status.status].sentence }];
  return (
    <Card component="section">
      <CardTitle component="h2">
        {status.peer ? "Pair" : "Server"} <StatusLabel word={status.status} />
      </CardTitle>
      <CardBody className="hapair-fields">
        <ReasonList reasons={reasons} label="Reasons of the status" />
        <PairPicture picture={pictureOf(status)} />
        {status.status === "standalone" && <Link href="/config">Set up a pair</Link>}
      </CardBody>
    </Card>
  );
}

function Sections({ status, history, lost }: { status: Status; history: Sample[]; lost: boolean }) {
  const paired = status.node.role !== "standalone";
  return (
    <Grid hasGutter md={6}>
      <GridItem span={12}>
        <PairCard status={status} />
      </GridItem>
      {paired && (
        <GridItem span={12}>
          <Actions status={status} />
        </GridItem>
      )}
      {status.rescues && status.rescues.count > 0 && (
        <GridItem span={12}>
          <RescuesNote count={status.rescues.count} />
        </GridItem>
      )}
      {paired && (
        <GridItem span={12}>
          <FailoverCard status={status} />
        </GridItem>
      )}
      <GridItem span={status.pings && paired ? undefined : 12}>
        <AlarmsCard alarms={status.alarms} />
      </GridItem>
      {status.pings && paired && (
        <GridItem>
          <NearMissCard pings={status.pings} />
        </GridItem>
      )}
      {paired && (
        <GridItem span={12}>
          <ChartsCard samples={history} refreshKey={eventKey(status)} />
        </GridItem>
      )}
      <GridItem span={12}>
        <LastEvents refreshKey={`${eventKey(status)} ${lost}`} />
      </GridItem>
    </Grid>
  );
}

export default function StatusPage() {
  const { status, problem, liveness, history } = useLiveStatus();
  return (
    <Stack hasGutter className={liveness === "lost" ? "hapair-faded" : undefined}>
      <PageTitle title="Status" />
      {!status && problem && <ProblemAlert problem={problem} />}
      {!status && !problem && <Loading what="the status" />}
      {status && <Sections status={status} history={history} lost={liveness === "lost"} />}
    </Stack>
  );
}
