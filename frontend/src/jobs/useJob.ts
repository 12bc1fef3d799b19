/** One job, followed until it has ended. */

import { useEffect, useState } from "react";

import type { Job } from "../api/model";
import type { Problem } from "../api/problem";
import { follow } from "../lib/follow";

export function hasEnded(job: Job): boolean {
  return job.state !== "queued" && job.state !== "running";
}

export function useJob(id: string): { job: Job | null; problem: Problem | null } {
  const [job, setJob] = useState<Job | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);

  useEffect(
    () =>
      follow<Job>(`/jobs/${encodeURIComponent(id)}`, "job", {
        onValue: setJob,
        onLiveness: (_liveness, met) => {
          setProblem(met);
        },
        isLast: hasEnded,
      }),
    [id],
  );

  return { job: job?.id === id ? job : null, problem };
}
