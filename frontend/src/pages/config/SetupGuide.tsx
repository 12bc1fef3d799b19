import { Alert, Card, CardBody, CardTitle, ProgressStep, ProgressStepper } from "@patternfly/react-core";

import type { Place, SetupStep } from "./setup";

const PLACE: Record<Place, { variant: "success" | "info" | "pending"; text: string }> = {
  done: { variant: "success", text: "done" },
  here: { variant: "info", text: "now, on this server" },
  there: { variant: "info", text: "now, on the other server" },
  next: { variant: "pending", text: "then, on this server" },
  later: { variant: "pending", text: "" },
};

interface Props {
  steps: SetupStep[];
  /** This server is in no pair, and no role in one is chosen. */
  undecided: boolean;
}

export function SetupGuide({ steps, undecided }: Props) {
  if (undecided) {
    return (
      <Alert component="p" variant="info" isInline title="To set up a pair, begin on the server whose data is to stay">
        Choose the role primary there. On the other server choose secondary; its own data is moved aside. The steps then
        show here.
      </Alert>
    );
  }
  if (steps.length === 0) return null;
  return (
    <Card component="section">
      <CardTitle component="h2">Setting up the pair</CardTitle>
      <CardBody>
        <ProgressStepper aria-label="Steps of the set-up">
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
