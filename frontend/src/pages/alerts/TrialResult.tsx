/** How a trial went, in the words of the server; of a script also what it wrote. */

import { Alert, Content } from "@patternfly/react-core";

import { ProblemAlert } from "../../components/ProblemAlert";
import { duration } from "../../lib/format";
import type { Trial } from "./useTrial";

const TITLE = {
  queued: "The test waits for the monitor of this server …",
  running: "The test is being made …",
  done: "The test went well.",
  failed: "The test failed.",
} as const;
const VARIANT = { queued: "info", running: "info", done: "success", failed: "danger" } as const;

function exitText(code: number | null): string {
  return code === null ? "ended for taking too long" : `exit code ${code}`;
}

export function TrialResult({ trial }: { trial: Trial }) {
  const { test, action } = trial;
  const result = test?.result;
  const script = test?.channel === "script" ? result : null;
  return (
    <div aria-live="polite" data-testid="trial">
      <ProblemAlert problem={action.problem} />
      {test && (
        <Alert component="p" variant={VARIANT[test.state]} isInline title={TITLE[test.state]}>
          {result?.detail && <Content component="p">{result.detail}</Content>}
          {result?.hint && <Content component="p">{result.hint}</Content>}
          {script && (
            <Content component="p">
              Called with {script.parameters.map((each) => `“${each}”`).join(" ")}: {exitText(script.exit_code)} after{" "}
              {duration(script.duration_s)}.
            </Content>
          )}
          {script?.output && (
            <pre className="hapair-output hapair-mono">
              {script.output}
            </pre>
          )}
        </Alert>
      )}
    </div>
  );
}
