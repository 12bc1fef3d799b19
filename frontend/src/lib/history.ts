/** What the console has seen of the pair since it was opened, for the charts. Bounded: an open page does not grow. */

import type { Status } from "../api/model";

/** One point each SAMPLE_MS, for an hour. */
const SAMPLE_MS = 2_000;
const SAMPLES_MAX = 1_800;

export interface Sample {
  /** Milliseconds since 1970. */
  at: number;
  /** Null where it is not known. */
  roundTripMs: number | null;
  /** Failed pings in a row. */
  missed: number;
  lagS: number | null;
  filesLeft: number | null;
}

function sampleOf(status: Status, at: number): Sample {
  const known = status.monitor.running;
  const ping = known ? status.pings?.peer : undefined;
  return {
    at,
    roundTripMs: ping && ping.missed === 0 ? ping.round_trip_ms : null,
    missed: ping?.missed ?? 0,
    lagS: known ? (status.replication?.lag_s ?? null) : null,
    filesLeft: known && status.node.role === "primary" ? (status.files?.pending ?? null) : null,
  };
}

/** The samples with one more, if the last is old enough. */
export function withSample(samples: Sample[], status: Status, now: number): Sample[] {
  const last = samples.at(-1);
  if (last && now - last.at < SAMPLE_MS) return samples;
  return [...samples.slice(-(SAMPLES_MAX - 1)), sampleOf(status, now)];
}
