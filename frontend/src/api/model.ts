/** The shapes of the API's answers that the console reads. */

export type Role = "primary" | "secondary" | "standalone";
export type StatusWord = "standalone" | "initialized" | "synchronizing" | "stable" | "degraded" | "fenced" | "conflict";

export interface Session {
  username: string;
  role: string;
  csrf_token: string;
}

export interface Reason {
  code: string;
  text: string;
}

export interface StatusNode {
  hostname: string;
  role: Role;
  address?: string | null;
  writable: boolean;
}

export interface Status {
  node: StatusNode;
  peer: StatusNode | null;
  status: StatusWord;
  reasons: Reason[];
  failover: { ready: boolean; reasons: Reason[] };
  job?: { id: string; title: string } | null;
}

export type ConfigValues = Record<string, string | number | boolean | null>;

export interface Field {
  name: string;
  label: string;
  help: string;
}

export interface Change {
  field: string;
  from: unknown;
  to: unknown;
}

export interface Config {
  state: "applied" | "draft" | "applying" | "failed";
  applied: ConfigValues;
  draft: ConfigValues | null;
  changes: Change[];
  fields: Field[];
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
  actor: string;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
}

/** One page of a log, newest first; `next` goes into `?before=` for older entries. */
export interface Listing<Row> {
  items: Row[];
  next: string | null;
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
