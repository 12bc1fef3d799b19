/**
 * The shapes of the API's answers that the console reads: the types generated from the API's description, made narrower
 * where the description says only "text" or "an object". A field that the API renames breaks the build here.
 */

import type { components } from "./types";

type Schemas = components["schemas"];
/** `Base` with some fields of a narrower type. A field that `Base` has not, or that is not narrower, does not compile. */
type Narrow<Base, Narrower extends { [Name in keyof Narrower]: Name extends keyof Base ? Base[Name] : never }> = Omit<
  Base,
  keyof Narrower
> &
  Narrower;

export type Role = "primary" | "secondary" | "standalone";
export type StatusWord = Schemas["Status"]["status"];
export type Session = Schemas["Session"];
export type Reason = Schemas["Reason"];
export type Check = Schemas["Check"];
export type System = Schemas["System"];
export type Rescue = Schemas["Rescue"];
export type RescuePage = Schemas["RescuePage"];
export type JobAnswer = { job: Job };

export type StatusNode = Narrow<
  Schemas["NodeStatus"],
  { role: Role; phase: "none" | "initialized" | "synchronizing" | "paired" }
>;
export type StatusPeer = Narrow<Schemas["PeerStatus"], { role: Role | null }>;

export type Alarm = { code: string; text: string; raised_at: string };

/** What the monitor publishes of its pings (jobs/monitor/snapshot.py). */
export type Pings = {
  interval_s: number;
  iterations: number;
  peer: { address: string | null; missed: number; round_trip_ms: number | null };
  gateway: { address: string | null; answers: boolean | null };
  targets: Record<string, boolean>;
  near_miss: { missed: number; at: string } | null;
};

export type Status = Narrow<
  Schemas["Status"],
  {
    node: StatusNode;
    peer: StatusPeer | null;
    fenced: { reason: string; since: string; detail: string; meaning: string; exit: string } | null;
    replication: { receiver_running: boolean; applier_running: boolean; lag_s: number | null } | null;
    files: { pending: number; trouble: string; complete_at: string | null; last_error: string } | null;
    pings: Pings | null;
    alarms: Alarm[];
    database: { ok: boolean; error: string } | null;
    monitor: { running: boolean; age_s: number | null };
    protection: { mode: string; promise: string; holds: boolean };
  }
>;

export type Value = string | number | boolean;
export type Values = Record<string, Value>;

/** One field of the HA configuration, as the server declares it: all that the console knows of a field is here. */
export type Field = Narrow<
  Schemas["Field"],
  {
    kind: "choice" | "address" | "virtual-address" | "fingerprint" | "email" | "integer" | "boolean" | "script";
    scope: "shared" | "mirrored" | "local";
    section: "basic" | "advanced";
    roles: Role[];
    default: Value;
  }
>;

export type Change = Narrow<Schemas["Change"], { from: Value; to: Value }>;

/** A legal change of role and what APPLY then does. */
export type Transition = Narrow<Schemas["Transition"], { applied: Role; drafted: Role }>;

export type Config = Omit<Schemas["Config"], "applied" | "draft" | "changes" | "fields" | "transitions"> & {
  applied: Values;
  draft: Values | null;
  changes: Change[];
  fields: Field[];
  transitions: Transition[];
};

/** Of its progress the description says no more than that it is an object. */
export type Step = Omit<Schemas["Step"], "progress"> & { progress: { done: number; total: number | null } };
export type Job = Omit<Schemas["Job"], "steps"> & { steps: Step[] };

/** One page of a log, newest first; `next` goes into `?before=` for older entries. */
export interface Listing<Row> {
  items: Row[];
  next: string | number | null;
}

/** What bash and shellcheck find in a custom script. */
export type Finding = Schemas["Finding"];
export type ScriptCheck = Schemas["ScriptCheck"];

export type User = Schemas["User"];
export type Token = Schemas["Token"];
export type TokenOnce = Schemas["TokenOnce"];
export type SecondFactorSecret = Schemas["Enrolment"];
export type AlertSettings = Schemas["AlertSettings"];
export type MailShown = Schemas["MailShown"];
export type MailInput = Schemas["MailInput"];
export type WebhookShown = Schemas["WebhookShown"];
export type AlertTest = Schemas["AlertTest"];
export type Certificate = Schemas["Certificate"];
export type History = Schemas["History"];
export type HistoryPoint = Schemas["HistoryPoint"];

export type EventEntry = Schemas["Event"];
export type ActivityEntry = Schemas["Activity"];
export type ActivityListing = Schemas["ActivityPage"];
export type Chain = Schemas["Chain"];
export type CheckedChain = Schemas["Checked"];
