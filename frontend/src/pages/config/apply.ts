/** What APPLY asks before it begins, and how it begins. */

import { post } from "../../api/client";
import type { Check, Config, JobAnswer, Role, Status } from "../../api/model";
import type { ActSpec } from "../../acts/ActDialog";
import { roleOf } from "./rules";

export async function preflight(): Promise<Check[]> {
  return (await post<{ checks: Check[] }>("/ha/preflight")).checks;
}

export async function retry(): Promise<string> {
  return (await post<JobAnswer>("/ha/retry")).job.id;
}

/** Ending a pair and taking over by force ask for the name of this server, so that they are not pressed on the wrong one. */
function isDangerous(applied: Role, drafted: Role): boolean {
  const takesOver = applied === "secondary" && drafted === "primary";
  return takesOver || (applied !== "standalone" && drafted === "standalone");
}

export function applySpec(config: Config, status: Status | null, onStarted: (jobId: string) => void): ActSpec {
  const applied = roleOf(config.applied);
  const drafted = roleOf({ ...config.applied, ...config.draft });
  const row = config.transitions.find((each) => each.applied === applied && each.drafted === drafted);
  const hostname = status?.node.hostname ?? "";
  const danger = isDangerous(applied, drafted);
  return {
    title: `APPLY on ${hostname || "this server"}`,
    explanation: row?.sentence ?? "The saved draft takes effect.",
    button: "APPLY",
    danger,
    word: danger ? hostname : undefined,
    check: config.draft ? preflight : undefined,
    act: async () => {
      const answer = await post<JobAnswer>("/ha/apply", danger ? { confirm: hostname } : {});
      onStarted(answer.job.id);
    },
  };
}
