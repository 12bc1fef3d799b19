/**
 * Who is logged in.
 *
 * When a session ends under way, the page stays as it is, half-filled forms included: a login dialogue opens over it, and
 * the request that noticed is repeated after the login.
 */

import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";

import { get, onSessionEnd, request, setCsrfToken } from "../api/client";
import type { Session } from "../api/model";
import { asProblem, type Problem } from "../api/problem";

const UNAUTHORIZED = 401;

export type SessionState = "asking" | "anonymous" | "active" | "ended" | "unreachable";

interface SessionContext {
  state: SessionState;
  session: Session | null;
  problem: Problem | null;
  /** Throws Problem. */
  logIn: (username: string, password: string, code?: string) => Promise<void>;
  /** The session as the server has just answered it, for instance after a change of the password. */
  renewed: (session: Session) => void;
  logOut: () => Promise<void>;
  ask: () => Promise<void>;
}

const Context = createContext<SessionContext | null>(null);

export function useSession(): SessionContext {
  const context = useContext(Context);
  if (!context) throw new Error("useSession outside of SessionProvider");
  return context;
}

/** Whether who is logged in may change anything: an auditor may not, and sees no button that would. */
export function useMayChange(): boolean {
  return useSession().session?.scope === "configure";
}

/** Requests that wait for the next login. */
function useWaiting() {
  const waiting = useRef<(() => void)[]>([]);
  const wait = useCallback(() => new Promise<void>((resolve) => waiting.current.push(resolve)), []);
  const release = useCallback(() => {
    for (const resolve of waiting.current.splice(0)) resolve();
  }, []);
  return { wait, release };
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [state, setState] = useState<SessionState>("asking");
  const [session, setSession] = useState<Session | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const { wait, release } = useWaiting();

  const begin = useCallback(
    (begun: Session) => {
      setCsrfToken(begun.csrf_token);
      setSession(begun);
      setState("active");
      setProblem(null);
      release();
    },
    [release],
  );

  const ask = useCallback(async () => {
    try {
      begin(await get<Session>("/session"));
    } catch (error) {
      const met = asProblem(error);
      setProblem(met.status === UNAUTHORIZED ? null : met);
      setState(met.status === UNAUTHORIZED ? "anonymous" : "unreachable");
    }
  }, [begin]);

  const logIn = useCallback(
    async (username: string, password: string, code?: string) => {
      const body = code === undefined ? { username, password } : { username, password, code };
      begin((await request<Session>("POST", "/session", { body })).body);
    },
    [begin],
  );

  const logOut = useCallback(async () => {
    try {
      await request("DELETE", "/session");
    } catch (error) {
      // A session that has ended by itself is as good as logged out.
      if (asProblem(error).status !== UNAUTHORIZED) throw error;
    }
    setCsrfToken(null);
    setSession(null);
    setState("anonymous");
  }, []);

  useEffect(() => {
    onSessionEnd(() => {
      setState("ended");
      return wait();
    });
    // The first question to the server: an external system that this component is in step with.
    // eslint-disable-next-line react-hooks/set-state-in-effect
    void ask();
    return () => {
      onSessionEnd(null);
    };
  }, [ask, wait]);

  const context = useMemo(
    () => ({ state, session, problem, logIn, logOut, ask, renewed: begin }),
    [state, session, problem, logIn, logOut, ask, begin],
  );
  return <Context value={context}>{children}</Context>;
}
