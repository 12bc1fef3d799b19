/** A trial of the custom script: run as root with the parameters that an event would give it. */

import { Alert, Button, Card, CardBody, CardTitle, Content, Flex, FormSelect, FormSelectOption } from "@patternfly/react-core";
import { useState } from "react";
import { Link } from "wouter";

import { useMayChange } from "../../app/session";
import { TrialResult } from "./TrialResult";
import { useTrial } from "./useTrial";

const EVENTS = ["Failover", "StandbyOffline", "StandbyOnline", "ManualSwitch", "RaiseAlarm", "ClearAlarm"];

export function ScriptCard() {
  const mayChange = useMayChange();
  const [event, setEvent] = useState("Failover");
  const trial = useTrial("script");
  return (
    <Card component="section" data-testid="script">
      <CardTitle component="h2">Custom script</CardTitle>
      <CardBody className="hapair-sentences">
        <Content component="p">
          The script is written under <Link href="/config">HA Configuration</Link>, Advanced.
        </Content>
        {mayChange && (
          <>
            <Alert
              component="p"
              variant="warning"
              isInline
              isPlain
              title="A test run is a real run, as root, of the saved draft’s script or else of the applied one. HA_TEST=1 tells the script so."
            />
            <Flex gap={{ default: "gapSm" }}>
              <FormSelect
                className="hapair-number"
                aria-label="Event of the test run"
                value={event}
                onChange={(_event, chosen) => { setEvent(chosen); }}
              >
                {EVENTS.map((each) => (
                  <FormSelectOption key={each} value={each} label={each} />
                ))}
              </FormSelect>
              <Button
                variant="secondary"
                isDisabled={trial.action.running}
                isLoading={trial.action.running}
                onClick={() => { trial.start({ event }); }}
              >
                Run the script
              </Button>
            </Flex>
          </>
        )}
        <TrialResult trial={trial} />
      </CardBody>
    </Card>
  );
}
