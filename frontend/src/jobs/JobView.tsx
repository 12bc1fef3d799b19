/** One job, live: its steps, and at its end the message, what was taken back, and RETRY where that may help. */

import { Alert, Button, Content, Stack, StackItem } from "@patternfly/react-core";

import type { Job } from "../api/model";
import type { Problem } from "../api/problem";
import { Loading } from "../components/Loading";
import { ProblemAlert } from "../components/ProblemAlert";
import { StepList } from "./StepList";
import { hasEnded } from "./useJob";

interface Props {
  job: Job | null;
  problem: Problem | null;
  onRetry?: () => void;
}

function Outcome({ job, onRetry }: { job: Job; onRetry?: () => void }) {
  if (!hasEnded(job)) {
    return (
      <Content component="p" className="hapair-quiet">
        The job goes on when this page is closed; it is listed under Jobs.
      </Content>
    );
  }
  if (job.state === "succeeded") {
    return <Alert component="p" variant="success" isInline role="status" title={job.message} data-testid="job-message" />;
  }
  const undone = job.steps.filter((step) => step.state === "undone").map((step) => step.title);
  return (
    <Alert component="p"
      variant="danger"
      isInline
      role="alert"
      title={job.message}
      data-testid="job-message"
      actionLinks={
        onRetry && (
          <Button variant="link" isInline onClick={onRetry}>
            RETRY
          </Button>
        )
      }
    >
      {undone.length > 0 && <Content component="p">Taken back: {undone.join("; ")}.</Content>}
      {job.state === "reverted" && <Content component="p">Both servers have the configuration they had before.</Content>}
    </Alert>
  );
}

export function JobView({ job, problem, onRetry }: Props) {
  if (!job) return problem ? <ProblemAlert problem={problem} /> : <Loading what="the job" />;
  return (
    <Stack hasGutter>
      {problem && (
        <StackItem>
          <ProblemAlert problem={problem} />
        </StackItem>
      )}
      <StackItem>
        <Outcome job={job} onRetry={onRetry} />
      </StackItem>
      <StackItem>
        <StepList steps={job.steps} ended={hasEnded(job)} />
      </StackItem>
    </Stack>
  );
}
