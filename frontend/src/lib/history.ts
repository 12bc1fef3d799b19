/** How the pair went, for the charts: what the server has stored, and what was seen live since. Bounded both. */

import type { HistoryPoint, Status } from "../api/model";

/** One live sample each SAMPLE_MS; the server's stored points take over within a minute. */
const SAMPLE_MS = 2_000;
const SAMPLES_MAX = 300;

export interface Sample {
  /** Milliseconds since 1970. */
  at: number;
  /** Null where it is not known. */
  roundTripMs: number | null;
  /** Failed pings in a row. */
  missed: number;
  lagS: number | null;
  filesLeft: number | null;
  /** Of a write outage that ended then, else 0. */
  outageS: number;
}

export function stored(point: HistoryPoint): Sample {
  return {
    at: Date.parse(point.at),
    roundTripMs: point.round_trip_ms,
    missed: point.failed_pings > 0 ? Math.max(point.missed, 1) : 0,
    lagS: point.lag_s,
    filesLeft: point.files,
    outageS: point.outage_s,
  };
}

function lagOf(status: Status): number | null {
  return (status.node.role === "primary" ? status.peer?.lag_s : status.replication?.lag_s) ?? null;
}

function sampleOf(status: Status, at: number): Sample {
  const known = status.monitor.running;
  const ping = known ? status.pings?.peer : undefined;
  return {
    at,
    roundTripMs: ping && ping.missed === 0 ? ping.round_trip_ms : null,
    missed: ping?.missed ?? 0,
    lagS: known ? lagOf(status) : null,
    filesLeft: known && status.node.role === "primary" ? (status.files?.pending ?? null) : null,
    outageS: 0,
  };
}

/** The samples with one more, if the last is old enough. */
export function withSample(samples: Sample[], status: Status, now: number): Sample[] {
  const last = samples.at(-1);
  if (last && now - last.at < SAMPLE_MS) return samples;
  return [...samples.slice(-(SAMPLES_MAX - 1)), sampleOf(status, now)];
}
