/** The stored history of a span, asked for again from time to time, with what was seen live since. */

import { useEffect, useMemo } from "react";

import { get } from "../../api/client";
import type { EventEntry, History } from "../../api/model";
import type { Problem } from "../../api/problem";
import { type Sample, stored } from "../../lib/history";
import { useResource } from "../../lib/useResource";

export type Span = "hour" | "day" | "month";

const SPAN_MS: Record<Span, number> = { hour: 3_600_000, day: 86_400_000, month: 30 * 86_400_000 };
/** A point of a longer span is longer: asking sooner would bring nothing new. */
const RELOAD_MS: Record<Span, number> = { hour: 60_000, day: 240_000, month: 1_800_000 };

export interface Seen {
  samples: Sample[];
  events: EventEntry[];
  /** The ends of the charts' time axis, in milliseconds since 1970. */
  since: number;
  until: number;
  /** Two samples farther apart than this have a gap between them. */
  gapMs: number;
  problem: Problem | null;
  reload: () => void;
}

/** `refreshKey` changes when something happened that may have left an event. */
export function useHistory(span: Span, live: Sample[], refreshKey: string): Seen {
  const path = `/ha/history?span=${span}`;
  const { value, problem, reload } = useResource(`${path} ${refreshKey}`, (signal) => get<History>(path, signal));

  useEffect(() => {
    const timer = setInterval(reload, RELOAD_MS[span]);
    return () => {
      clearInterval(timer);
    };
  }, [reload, span]);

  return useMemo(() => {
    const lengthMs = (value?.length_s ?? 0) * 1_000;
    const before = (value?.points ?? []).map(stored).filter((sample) => !Number.isNaN(sample.at));
    const known = (before.at(-1)?.at ?? -lengthMs) + lengthMs;
    const samples = [...before, ...live.filter((sample) => sample.at >= known)];
    const until = Math.max(samples.at(-1)?.at ?? 0, value ? Date.parse(value.until) : 0);
    return {
      samples,
      events: value?.events ?? [],
      since: until - SPAN_MS[span],
      until,
      // One missing point is a late one; the newest stored point may be a length away from the first live sample.
      gapMs: Math.max(2.5 * lengthMs, 15_000),
      problem,
      reload,
    };
  }, [value, live, span, problem, reload]);
}
