import { Card, CardBody, CardTitle, ProgressStep, ProgressStepper } from "@patternfly/react-core";

import type { Place, SetupStep } from "./setup";

const PLACE: Record<Place, { variant: "success" | "info" | "pending"; text: string }> = {
  done: { variant: "success", text: "done" },
  here: { variant: "info", text: "now, on this server" },
  there: { variant: "info", text: "now, on the other server" },
  later: { variant: "pending", text: "" },
};

export function SetupGuide({ steps }: { steps: SetupStep[] }) {
  if (steps.length === 0) return null;
  return (
    <Card isCompact component="section">
      <CardTitle component="h2">Setting up the pair</CardTitle>
      <CardBody>
        <ProgressStepper aria-label="Steps of the set-up" className="hapair-setup">
          {steps.map(({ text, place }, index) => (
            <ProgressStep
              key={text}
              id={`setup-${index}`}
              titleId={`setup-title-${index}`}
              variant={PLACE[place].variant}
              isCurrent={place === "here" || place === "there"}
              description={PLACE[place].text}
              aria-label={`Step ${index + 1}: ${text}. ${PLACE[place].text}`}
            >
              {text}
            </ProgressStep>
          ))}
        </ProgressStepper>
      </CardBody>
    </Card>
  );
}
