/** One thing that a button does: runs once at a time, and keeps the problem it ended with. */

import { useCallback, useState } from "react";

import { asProblem, type Problem } from "../api/problem";

export interface Action {
  running: boolean;
  problem: Problem | null;
  run: (act: () => Promise<void>) => Promise<void>;
  clear: () => void;
}

export function useAction(): Action {
  const [running, setRunning] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  const run = useCallback(async (act: () => Promise<void>) => {
    setRunning(true);
    setProblem(null);
    try {
      await act();
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setRunning(false);
    }
  }, []);

  const clear = useCallback(() => {
    setProblem(null);
  }, []);

  return { running, problem, run, clear };
}
