/** The pair's status, followed once for the whole console: the frame and the pages read the same value. */

import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";

import type { Status } from "../api/model";
import type { Problem } from "../api/problem";
import { follow, type Liveness } from "../lib/follow";
import { type Sample, withSample } from "../lib/history";

interface LiveStatus {
  status: Status | null;
  liveness: Liveness;
  problem: Problem | null;
  /** When the server was last heard. */
  heardAt: Date | null;
  history: Sample[];
}

const NOTHING: LiveStatus = { status: null, liveness: "connecting", problem: null, heardAt: null, history: [] };
const Context = createContext(NOTHING);

export function useLiveStatus(): LiveStatus {
  return useContext(Context);
}

export function LiveStatusProvider({ children }: { children: ReactNode }) {
  const [status, setStatus] = useState<Status | null>(null);
  const [heardAt, setHeardAt] = useState<Date | null>(null);
  const [history, setHistory] = useState<Sample[]>([]);
  const [connection, setConnection] = useState<{ liveness: Liveness; problem: Problem | null }>({
    liveness: "connecting",
    problem: null,
  });

  useEffect(
    () =>
      follow<Status>("/ha/status", "status", {
        onValue: (value) => {
          setStatus(value);
          const now = new Date();
          setHeardAt(now);
          setHistory((before) => withSample(before, value, now.getTime()));
        },
        onLiveness: (liveness, problem) => {
          setConnection((before) =>
            before.liveness === liveness && before.problem === problem ? before : { liveness, problem },
          );
        },
      }),
    [],
  );

  const live = useMemo(
    () => ({ status, heardAt, history, ...connection }),
    [status, heardAt, history, connection],
  );
  return <Context value={live}>{children}</Context>;
}
