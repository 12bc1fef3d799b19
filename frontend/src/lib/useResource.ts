/** Something asked of the API once, and again when its key changes or `reload` is called. */

import { useCallback, useEffect, useState } from "react";

import { asProblem, type Problem } from "../api/problem";

export interface Resource<T> {
  value: T | null;
  problem: Problem | null;
  loading: boolean;
  reload: () => void;
  /** Puts a value in place that is already known, for instance the answer of a save. */
  set: (value: T) => void;
}

export function useResource<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const [value, set] = useState<T | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [loading, setLoading] = useState(true);
  const [round, setRound] = useState(0);

  useEffect(() => {
    const ended = new AbortController();
    const run = async () => {
      setLoading(true);
      try {
        const loaded = await load(ended.signal);
        if (ended.signal.aborted) return;
        set(loaded);
        setProblem(null);
      } catch (error) {
        if (!ended.signal.aborted) setProblem(asProblem(error));
      }
      if (!ended.signal.aborted) setLoading(false);
    };
    void run();
    return () => {
      ended.abort();
    };
    // `load` is a new function on each drawing; the key says when it asks for something else.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key, round]);

  const reload = useCallback(() => {
    setRound((before) => before + 1);
  }, []);

  return { value, problem, loading, reload, set };
}
