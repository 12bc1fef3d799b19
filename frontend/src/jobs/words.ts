/** The words for kinds and states of jobs. */

import type { Job } from "../api/model";
import type { Tone } from "../lib/words";

const KIND: Record<string, string> = {
  "setup-primary": "Set-up of the primary",
  "setup-secondary": "Set-up of the secondary",
  swap: "Swap of the roles",
  teardown: "Teardown of the pair",
  takeover: "Takeover by hand",
  settings: "Changed settings",
  preflight: "Checks before APPLY",
  resume: "Resume as primary",
  rejoin: "Rejoin",
  "keep-this": "End of the conflict with this server’s data",
  "keep-peer": "End of the conflict with the other server’s data",
};

export function kindText(kind: string): string {
  return KIND[kind] ?? kind;
}

export const JOB_STATE: Record<Job["state"], { text: string; tone: Tone }> = {
  queued: { text: "waiting to start", tone: "grey" },
  running: { text: "running", tone: "blue" },
  succeeded: { text: "succeeded", tone: "green" },
  failed: { text: "failed", tone: "red" },
  reverted: { text: "failed and taken back", tone: "orange" },
};
