/** The steps of a job as they go: state, progress with bytes and time left, and what each has to say. */

import { Progress, ProgressMeasureLocation, ProgressSize, ProgressStep, ProgressStepper } from "@patternfly/react-core";

import type { Step } from "../api/model";
import { bytes, duration, secondsSince } from "../lib/format";

type Variant = "pending" | "info" | "success" | "danger" | "warning";

const STATE: Record<Step["state"], { variant: Variant; text: string }> = {
  pending: { variant: "pending", text: "waiting" },
  running: { variant: "info", text: "running" },
  done: { variant: "success", text: "done" },
  failed: { variant: "danger", text: "failed" },
  undoing: { variant: "warning", text: "being taken back" },
  undone: { variant: "warning", text: "taken back" },
  skipped: { variant: "pending", text: "not needed" },
};

/** Before this much is done, an estimate of the rest would mislead. */
const ESTIMATE_FROM = 0.05;

function timeLeft(step: Step): string {
  const { done, total } = step.progress;
  if (!total || !step.started_at || done / total < ESTIMATE_FROM) return "";
  const spent = secondsSince(step.started_at, new Date());
  return `, about ${duration(Math.ceil((spent * (total - done)) / done))} left`;
}

function StepProgress({ step }: { step: Step }) {
  const { done, total } = step.progress;
  if (step.state !== "running" || done === 0) return null;
  if (!total) return <span>{bytes(done)}</span>;
  const percent = Math.min(100, Math.round((100 * done) / total));
  return (
    <>
      <div>{`${bytes(done)} of ${bytes(total)}${timeLeft(step)}`}</div>
      <Progress
        aria-label={`Progress of: ${step.title}`}
        size={ProgressSize.sm}
        value={percent}
        measureLocation={ProgressMeasureLocation.outside}
      />
    </>
  );
}

/** Of a job that has ended, no step waits any more. */
function stateText(step: Step, ended: boolean): string {
  return ended && step.state === "pending" ? "not begun" : STATE[step.state].text;
}

function took(step: Step): string {
  if (!step.started_at || !step.ended_at) return "";
  return ` in ${duration(secondsSince(step.started_at, new Date(step.ended_at)))}`;
}

export function StepList({ steps, ended }: { steps: Step[]; ended: boolean }) {
  return (
    <ProgressStepper isVertical aria-label="Steps">
      {steps.map((step) => (
        <ProgressStep
          key={step.name}
          id={`step-${step.name}`}
          titleId={`step-title-${step.name}`}
          variant={STATE[step.state].variant}
          isCurrent={step.state === "running" || step.state === "undoing"}
          aria-label={`${step.title}: ${stateText(step, ended)}`}
          description={
            <>
              {stateText(step, ended)}
              {step.state === "done" && took(step)}
              {step.detail && ` · ${step.detail}`}
              <StepProgress step={step} />
            </>
          }
        >
          {step.title}
        </ProgressStep>
      ))}
    </ProgressStepper>
  );
}
