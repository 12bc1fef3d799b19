/** A problem of the API in words: what happened, what it means, what to do next. */

import { Alert, AlertActionCloseButton, Button, Content } from "@patternfly/react-core";

import type { Problem } from "../api/problem";

interface Props {
  problem: Problem | null;
  onRetry?: () => void;
  onClose?: () => void;
  /** Labels by field name, where the form beside shows fields. */
  labels?: Record<string, string>;
}

export function ProblemAlert({ problem, onRetry, onClose, labels = {} }: Props) {
  if (!problem) return null;
  return (
    <Alert component="p"
      variant="danger"
      isInline
      title={problem.title}
      role="alert"
      actionClose={onClose && <AlertActionCloseButton onClose={onClose} />}
      actionLinks={
        onRetry && (
          <Button variant="link" isInline onClick={onRetry}>
            Try again
          </Button>
        )
      }
    >
      {problem.detail && <Content component="p">{problem.detail}</Content>}
      {Object.keys(problem.errors).length > 0 && (
        <ul className="hapair-errors">
          {Object.entries(problem.errors).map(([name, sentences]) => (
            <li key={name}>
              <strong>{labels[name] ?? name}</strong>: {sentences.join(" ")}
            </li>
          ))}
        </ul>
      )}
      {problem.hint && <Content component="p">{problem.hint}</Content>}
    </Alert>
  );
}
