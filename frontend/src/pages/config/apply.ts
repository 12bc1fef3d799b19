/** What APPLY asks before it begins, and how it begins. */

import { post } from "../../api/client";
import type { Check, Config, Role, Status } from "../../api/model";
import type { ActSpec } from "../../acts/ActDialog";
import { roleOf } from "./rules";

interface JobAnswer {
  job: { id: string };
}

export async function preflight(): Promise<Check[]> {
  return (await post<{ checks: Check[] }>("/ha/preflight")).checks;
}

export async function retry(): Promise<string> {
  return (await post<JobAnswer>("/ha/retry")).job.id;
}

/** Ending a pair and taking over by force ask for a typed word. */
function wordFor(applied: Role, drafted: Role): string | undefined {
  if (applied === "secondary" && drafted === "primary") return "takeover";
  if (applied !== "standalone" && drafted === "standalone") return "teardown";
  return undefined;
}

export function applySpec(config: Config, status: Status | null, onStarted: (jobId: string) => void): ActSpec {
  const applied = roleOf(config.applied);
  const drafted = roleOf({ ...config.applied, ...config.draft });
  const row = config.transitions?.find((each) => each.applied === applied && each.drafted === drafted);
  const word = wordFor(applied, drafted);
  const hostname = status?.node.hostname ?? "this server";
  return {
    title: `APPLY on ${hostname}`,
    explanation: row?.sentence ?? "The saved draft takes effect.",
    button: "APPLY",
    danger: word !== undefined,
    word,
    check: config.draft ? preflight : undefined,
    act: async () => {
      const answer = await post<JobAnswer>("/ha/apply", word === undefined ? {} : { confirm: word });
      onStarted(answer.job.id);
    },
  };
}
