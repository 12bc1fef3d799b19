import { Alert, Card, CardBody, CardTitle, Content } from "@patternfly/react-core";

import type { Alarm } from "../../api/model";
import { Time } from "../../components/Time";

export function AlarmsCard({ alarms }: { alarms: Alarm[] }) {
  return (
    <Card component="section" isFullHeight data-testid="alarms">
      <CardTitle component="h2">Alarms ({alarms.length})</CardTitle>
      <CardBody className="hapair-fields">
        {alarms.length === 0 && <Content component="p">No alarm is up.</Content>}
        {alarms.map((alarm) => (
          <Alert component="p" key={alarm.code} variant="warning" isInline isPlain title={alarm.text}>
            since <Time at={alarm.raised_at} />
          </Alert>
        ))}
      </CardBody>
    </Card>
  );
}
