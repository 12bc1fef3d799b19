/** The acts of the status page: what each says before it is done, and what it asks of the API. */

import { post } from "../../api/client";
import type { Status } from "../../api/model";
import type { ActSpec } from "../../acts/ActDialog";

/** How long a maintenance lasts when nobody ends it. */
const MAINTENANCE_MINUTES = 60;

interface JobAnswer {
  job: { id: string };
}

export interface Offered {
  key: string;
  label: string;
  spec: ActSpec;
}

/** `onJob` is called with the job that an act has begun, `onDone` after an act without one. */
export function offeredActs(status: Status, onJob: (id: string) => void, onDone: () => void): Offered[] {
  const { node, peer } = status;
  const other = peer?.hostname ?? "the other server";
  const begin = async (path: string, body: unknown) => {
    onJob((await post<JobAnswer>(path, body)).job.id);
  };
  const acts: Offered[] = [];

  if (node.role !== "standalone" && status.status === "stable") {
    acts.push({
      key: "swap",
      label: "Swap roles",
      spec: {
        title: "Swap the roles",
        explanation:
          `The primary becomes secondary and the secondary becomes primary. Connections to the primary's database are` +
          ` closed and writes pause for a moment; no acknowledged row is lost.`,
        button: "Swap roles",
        act: () => begin("/ha/swap", { confirm: "swap" }),
      },
    });
  }
  if (node.role === "secondary") {
    acts.push({
      key: "takeover",
      label: "Take over…",
      spec: {
        title: `Make ${node.hostname} the primary by force`,
        explanation:
          `${node.hostname} becomes primary even if ${other} can't be asked. ${other} is fenced if it can be reached;` +
          ` if it is alive and can't be reached, both accept writes until they meet again.`,
        button: "Take over",
        danger: true,
        word: node.hostname,
        act: () => begin("/ha/takeover", { confirm: node.hostname }),
      },
    });
  }
  if (node.role === "primary" && status.fenced) {
    acts.push({
      key: "resume",
      label: "Resume as primary…",
      spec: {
        title: `Resume ${node.hostname} as primary`,
        explanation:
          `${node.hostname} accepts writes again without ${other}. Only do this if you know that ${other} has not` +
          ` become primary in the meantime: otherwise both would accept writes.`,
        button: "Resume as primary",
        danger: true,
        word: node.hostname,
        act: () => begin("/ha/resume", { confirm: node.hostname }),
      },
    });
  }
  if (node.role !== "standalone") acts.push(maintenance(status, onDone));
  return acts;
}

function maintenance({ node }: Status, onDone: () => void): Offered {
  const starts = !node.maintenance;
  return {
    key: "maintenance",
    label: starts ? "Maintenance" : "End maintenance",
    spec: {
      title: starts ? "Begin maintenance" : "End maintenance",
      explanation: starts
        ? `For ${MAINTENANCE_MINUTES} minutes no failover starts by itself, so that a server can be worked on.`
        : "From now on a failover starts by itself again when the primary fails.",
      button: starts ? "Begin maintenance" : "End maintenance",
      act: async () => {
        await post("/ha/maintenance", starts ? { enabled: true, minutes: MAINTENANCE_MINUTES } : { enabled: false });
        onDone();
      },
    },
  };
}
