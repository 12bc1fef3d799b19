/** The acts of the status page: what each says before it is done, and what it asks of the API. */

import { post } from "../../api/client";
import type { JobAnswer, Status } from "../../api/model";
import type { ActSpec } from "../../acts/ActDialog";
import { swapChecks, takeoverChecks } from "./checks";

/** How long a maintenance lasts when nobody ends it. */
const MAINTENANCE_MINUTES = 60;

export interface Offered {
  key: string;
  label: string;
  spec: ActSpec;
}

interface Listener {
  /** An act has begun a job. */
  onJob: (id: string) => void;
  /** An act without a job is done. */
  onDone: () => void;
}

function otherName({ peer }: Status): string {
  return peer?.hostname ?? "the other server";
}

async function begin(path: string, confirm: string, { onJob }: Listener): Promise<void> {
  onJob((await post<JobAnswer>(path, { confirm })).job.id);
}

function swap(status: Status, listener: Listener): Offered {
  return {
    key: "swap",
    label: "Swap roles",
    spec: {
      title: "Swap the roles",
      explanation:
        "The primary becomes secondary and the secondary becomes primary. Connections to the primary's database are" +
        " closed and writes pause for a moment; no acknowledged row is lost.",
      button: "Swap roles",
      check: () => Promise.resolve(swapChecks(status)),
      act: () => begin("/ha/swap", status.node.hostname, listener),
    },
  };
}

function takeover(status: Status, listener: Listener): Offered {
  const own = status.node.hostname;
  const other = otherName(status);
  return {
    key: "takeover",
    label: "Take over…",
    spec: {
      title: `Make ${own} the primary by force`,
      explanation:
        `${own} becomes primary even if ${other} can't be asked. ${other} is fenced if it can be reached; if it is alive` +
        " and can't be reached, both accept writes until they meet again.",
      button: "Take over",
      danger: true,
      word: own,
      check: () => Promise.resolve(takeoverChecks(status)),
      act: () => begin("/ha/takeover", own, listener),
    },
  };
}

function resume(own: string, other: string, listener: Listener): Offered {
  return {
    key: "resume",
    label: "Resume as primary…",
    spec: {
      title: `Resume ${own} as primary`,
      explanation:
        `${own} accepts writes again without ${other}. Only do this if you know that ${other} has not become primary in` +
        " the meantime: otherwise both would accept writes.",
      button: "Resume as primary",
      danger: true,
      word: own,
      act: () => begin("/ha/resume", own, listener),
    },
  };
}

function resolve(keep: "this" | "peer", own: string, other: string, listener: Listener): Offered {
  const [kept, rescued] = keep === "this" ? [own, other] : [other, own];
  return {
    key: `resolve-${keep}`,
    label: `Keep the history of ${kept}…`,
    spec: {
      title: `Go on with the history of ${kept}`,
      explanation: `${kept} becomes the only primary. What only ${rescued} has is rescued first; then it follows ${kept}.`,
      button: `Keep ${kept}`,
      danger: true,
      word: own,
      act: async () => {
        listener.onJob((await post<JobAnswer>("/ha/resolve", { keep, confirm: own })).job.id);
      },
    },
  };
}

function maintenance(underWay: boolean, { onDone }: Listener): Offered {
  const title = underWay ? "End maintenance" : "Begin maintenance";
  return {
    key: "maintenance",
    label: underWay ? title : "Maintenance",
    spec: {
      title,
      explanation: underWay
        ? "From now on a failover starts by itself again when the primary fails."
        : `For ${MAINTENANCE_MINUTES} minutes no failover starts by itself, so that a server can be worked on.`,
      button: title,
      act: async () => {
        await post("/ha/maintenance", underWay ? { enabled: false } : { enabled: true, minutes: MAINTENANCE_MINUTES });
        onDone();
      },
    },
  };
}

/** The acts that make sense for this server as it is now. */
export function offeredActs(status: Status, listener: Listener): Offered[] {
  const { node, fenced } = status;
  if (node.role === "standalone") return [];
  const own = node.hostname;
  const other = otherName(status);
  if (status.status === "conflict") {
    return [resolve("this", own, other, listener), resolve("peer", own, other, listener)];
  }
  const acts: Offered[] = [];
  if (node.role === "primary" && status.status === "stable") acts.push(swap(status, listener));
  if (node.role === "secondary") acts.push(takeover(status, listener));
  if (node.role === "primary" && fenced) acts.push(resume(own, other, listener));
  acts.push(maintenance(node.maintenance, listener));
  return acts;
}
