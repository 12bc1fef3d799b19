/** The pair's status, followed once for the whole console: the frame and the pages read the same value. */

import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";

import type { Status } from "../api/model";
import type { Problem } from "../api/problem";
import { follow, type Liveness } from "../lib/follow";

interface LiveStatus {
  status: Status | null;
  liveness: Liveness;
  problem: Problem | null;
  /** When the server was last heard. */
  heardAt: Date | null;
}

const Context = createContext<LiveStatus>({ status: null, liveness: "connecting", problem: null, heardAt: null });

export function useLiveStatus(): LiveStatus {
  return useContext(Context);
}

export function LiveStatusProvider({ children }: { children: ReactNode }) {
  const [status, setStatus] = useState<Status | null>(null);
  const [heardAt, setHeardAt] = useState<Date | null>(null);
  const [connection, setConnection] = useState<{ liveness: Liveness; problem: Problem | null }>({
    liveness: "connecting",
    problem: null,
  });

  useEffect(
    () =>
      follow<Status>("/ha/status", "status", {
        onValue: (value) => {
          setStatus(value);
          setHeardAt(new Date());
        },
        onLiveness: (liveness, problem) => {
          setConnection((before) =>
            before.liveness === liveness && before.problem === problem ? before : { liveness, problem },
          );
        },
      }),
    [],
  );

  const live = useMemo(() => ({ status, heardAt, ...connection }), [status, heardAt, connection]);
  return <Context value={live}>{children}</Context>;
}
