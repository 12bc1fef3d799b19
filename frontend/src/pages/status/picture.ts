/**
 * The status as a picture of the pair: two servers and what flows between them. A pure translation, so that the drawing
 * knows nothing of the API. Nothing old is drawn as current: what is not known is `unknown`, never `good`.
 */

import type { Role, Status, StatusNode, StatusPeer } from "../../api/model";
import { duration, milliseconds, plural } from "../../lib/format";

export type Health = "good" | "bad" | "unknown";

export interface LinkView {
  name: string;
  text: string;
  health: Health;
  /** As seen with this server on the left. */
  direction: "right" | "left";
}

export interface ServerFact {
  text: string;
  health: Health;
}

export interface ServerView {
  hostname: string;
  address: string;
  role: Role | null;
  /** In the words of the picture. */
  access: string;
  isThis: boolean;
  faded: boolean;
  /** When a faded server was last heard. */
  lastHeard: string;
  facts: ServerFact[];
}

export interface Picture {
  servers: ServerView[];
  links: LinkView[];
}

function accessText(writable: boolean | null): string {
  if (writable === null) return "unknown";
  return writable ? "writable" : "read-only";
}

function answerHealth(answers: boolean | null): Health {
  if (answers === null) return "unknown";
  return answers ? "good" : "bad";
}

function networkFacts(status: Status): ServerFact[] {
  if (!status.pings) return [];
  const { gateway, targets } = status.pings;
  const facts: ServerFact[] = [];
  if (gateway.address) {
    const word = { good: "answers", bad: "is silent", unknown: "not asked yet" }[answerHealth(gateway.answers)];
    facts.push({ text: `gateway ${gateway.address} ${word}`, health: answerHealth(gateway.answers) });
  }
  const answers = Object.values(targets);
  if (answers.length > 0) {
    const heard = answers.filter(Boolean).length;
    facts.push({ text: `ping targets: ${heard} of ${answers.length} answer`, health: heard > 0 ? "good" : "bad" });
  }
  return facts;
}

function ownFacts(status: Status): ServerFact[] {
  const { database } = status;
  const facts: ServerFact[] = [];
  if (database) {
    const error = database.error ? `: ${database.error}` : "";
    facts.push({ text: database.ok ? "database works" : `database does not answer${error}`, health: database.ok ? "good" : "bad" });
  }
  return [...facts, ...networkFacts(status)];
}

function ownView(status: Status, node: StatusNode): ServerView {
  return {
    hostname: node.hostname,
    address: node.address ?? "",
    role: node.role,
    access: status.fenced ? "fenced" : accessText(node.writable),
    isThis: true,
    faded: false,
    lastHeard: "",
    facts: ownFacts(status),
  };
}

function peerView(peer: StatusPeer): ServerView {
  const age = peer.heartbeat_age_s;
  return {
    hostname: peer.hostname ?? "the other server",
    address: peer.address ?? "",
    role: peer.role,
    access: peer.heard ? accessText(peer.writable) : "not heard",
    isThis: false,
    faded: !peer.heard,
    lastHeard: age === null ? "not heard since this server's monitor started" : `last heard ${duration(age)} ago`,
    facts: [],
  };
}

function rowsLink(status: Status, direction: "right" | "left"): LinkView {
  const { replication } = status;
  const name = "rows";
  if (!replication) return { name, text: "not known here", health: "unknown", direction };
  const working = replication.receiver_running && replication.applier_running;
  if (!working) return { name, text: "stopped", health: "bad", direction };
  const { lag_s: lag } = replication;
  return { name, text: lag === null ? "flowing" : `${duration(lag)} behind`, health: "good", direction };
}

function filesLink(status: Status, direction: "right" | "left"): LinkView {
  const { files } = status;
  const name = "files";
  if (!files) return { name, text: "not known here", health: "unknown", direction };
  const trouble = files.trouble || files.last_error;
  if (trouble) return { name, text: trouble, health: "bad", direction };
  const left = files.pending === 0 ? "all copied" : `${plural(files.pending, "change", "changes")} left`;
  return { name, text: left, health: "good", direction };
}

function pingLink(status: Status, direction: "right" | "left"): LinkView[] {
  const peer = status.pings?.peer;
  if (!peer) return [];
  const name = "ping";
  if (peer.missed > 0) {
    return [{ name, text: `${plural(peer.missed, "ping", "pings")} in a row missed`, health: "bad", direction }];
  }
  if (peer.round_trip_ms === null) return [{ name, text: "not asked yet", health: "unknown", direction }];
  return [{ name, text: milliseconds(peer.round_trip_ms), health: "good", direction }];
}

export function pictureOf(status: Status): Picture {
  const own = ownView(status, status.node);
  if (!status.peer) return { servers: [own], links: [] };
  const direction = status.node.role === "primary" ? "right" : "left";
  return {
    servers: [own, peerView(status.peer)],
    links: [rowsLink(status, direction), filesLink(status, direction), ...pingLink(status, "right")],
  };
}
