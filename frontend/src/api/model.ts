/** The shapes of the API's answers that the console reads. */

export type Role = "primary" | "secondary" | "standalone";
export type StatusWord = "standalone" | "initialized" | "synchronizing" | "stable" | "degraded" | "fenced" | "conflict";

export interface Session {
  username: string;
  role: string;
  scope: string;
  /** Null for automation, which has no cookie. */
  csrf_token: string | null;
}

export interface Reason {
  code: string;
  text: string;
}

export interface StatusNode {
  hostname: string;
  role: Role;
  writable: boolean;
  address: string | null;
  phase: "none" | "initialized" | "synchronizing" | "paired";
  maintenance: boolean;
  /** Kind of the announced operation that is under way, or empty. */
  operation: string;
}

export interface StatusPeer {
  hostname: string | null;
  address: string | null;
  role: Role | null;
  writable: boolean | null;
  /** Whether it answers now. What stands here of a peer that is not heard is old. */
  heard: boolean;
  heartbeat_age_s: number | null;
  error: string;
}

export interface Alarm {
  code: string;
  text: string;
  raised_at: string;
}

export interface Pings {
  interval_s: number;
  iterations: number;
  peer: { address: string | null; missed: number; round_trip_ms: number | null };
  gateway: { address: string | null; answers: boolean | null };
  targets: Record<string, boolean>;
  near_miss: { missed: number; at: string } | null;
}

export interface Status {
  node: StatusNode;
  peer: StatusPeer | null;
  status: StatusWord;
  reasons: Reason[];
  failover: { ready: boolean; reasons: Reason[]; lost_bound: string; window_s: number };
  term: number;
  fenced: { reason: string; since: string; detail: string; meaning: string; exit: string } | null;
  replication: { receiver_running: boolean; applier_running: boolean; lag_s: number | null } | null;
  files: { pending: number; trouble: string; complete_at: string | null; last_error: string } | null;
  pings: Pings | null;
  alarms: Alarm[];
  database: { ok: boolean; error: string } | null;
  monitor: { running: boolean; age_s: number | null };
  protection: { mode: string; promise: string; holds: boolean };
  job: { id: string; kind: string } | null;
}

export type Value = string | number | boolean;
export type Values = Record<string, Value>;

/** One field of the HA configuration, as the server declares it: all that the console knows of a field is here. */
export interface Field {
  name: string;
  label: string;
  kind: "choice" | "address" | "fingerprint" | "email" | "integer" | "boolean" | "script";
  default: Value;
  roles: Role[];
  scope: "shared" | "mirrored" | "local";
  section: "basic" | "advanced";
  help: string;
  required: boolean;
  choices: string[];
  minimum: number | null;
  maximum: number | null;
  unit: string;
  length_max: number;
}

export interface Change {
  field: string;
  from: Value;
  to: Value;
}

/** A legal change of role and what APPLY then does. */
export interface Transition {
  applied: Role;
  drafted: Role;
  change: string;
  sentence: string;
}

export interface Config {
  state: "applied" | "draft" | "applying" | "failed";
  applied: Values;
  draft: Values | null;
  changes: Change[];
  fields: Field[];
  saved_by: string | null;
  saved_at: string | null;
  failed: string | null;
  transitions: Transition[];
}

export interface Check {
  id: string;
  result: "pass" | "warn" | "fail";
  detail: string;
}

export interface Step {
  name: string;
  title: string;
  state: "pending" | "running" | "done" | "failed" | "undoing" | "undone" | "skipped";
  progress: { done: number; total: number | null };
  detail: string;
  started_at: string | null;
  ended_at: string | null;
}

export interface Job {
  id: string;
  kind: string;
  state: "queued" | "running" | "succeeded" | "failed" | "reverted";
  steps: Step[];
  message: string;
  error: { code: string; title: string; detail: string; hint: string } | null;
  actor: string;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
}

/** One page of a log, newest first; `next` goes into `?before=` for older entries. */
export interface Listing<Row> {
  items: Row[];
  next: string | number | null;
}

export interface EventEntry {
  id: number;
  kind: string;
  at: string;
  node: string;
  parameters: string[];
  detail: string;
}

export interface ActivityEntry {
  id: number;
  at: string;
  node: string;
  actor: string;
  address: string;
  action: string;
  outcome: string;
  detail: Record<string, unknown>;
}

export interface System {
  hostname: string;
  addresses: string[];
  gateway: string | null;
  tunnel_network: string;
  version: string;
  cpus: number;
  memory_bytes: number;
  disk_bytes: number;
  disk_free_bytes: number;
}
