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
  /** The address that moves with the primary, where the pair has one. */
  virtualAddress: ServerFact | null;
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
  const { running, age_s: age } = status.monitor;
  const last = age === null ? "its monitor has reported nothing yet" : `its monitor last reported ${duration(age)} ago`;
  return {
    hostname: node.hostname,
    address: node.address ?? "",
    role: node.role,
    access: status.fenced ? "fenced" : accessText(running ? node.writable : null),
    isThis: true,
    faded: !running,
    lastHeard: last,
    facts: running ? ownFacts(status) : [],
  };
}

function peerView(peer: StatusPeer): ServerView {
  const age = peer.heartbeat_age_s;
  return {
    hostname: peer.hostname,
    address: peer.address,
    role: peer.role,
    access: peer.heard ? accessText(peer.writable) : "not heard",
    isThis: false,
    faded: !peer.heard,
    lastHeard: age === null ? "not heard since this server's monitor started" : `last heard ${duration(age)} ago`,
    facts: peer.heard ? [{ text: "its monitor answers", health: "good" }] : [],
  };
}

/** Nothing flows to a server that does not follow. */
const BOTH_PRIMARY: [Health, string] = ["bad", "cut: both are primary"];

/** On the primary, what the standby reports of itself is in the reasons of the status. */
function rowsOnPrimary(status: Status): [Health, string] {
  const against = new Set(status.reasons.map((reason) => reason.code));
  if (!status.peer?.heard) return ["unknown", "not known"];
  if (status.peer.role === "primary") return BOTH_PRIMARY;
  if (against.has("standby-out")) return ["bad", "the standby is out of the pair"];
  if (against.has("standby-not-caught-up")) return ["bad", "not caught up"];
  return status.node.phase === "paired" ? ["good", "flowing"] : ["unknown", "not yet"];
}

function rowsOnSecondary({ replication }: Status): [Health, string] {
  if (!replication) return ["unknown", "not known"];
  if (!replication.receiver_running || !replication.applier_running) return ["bad", "stopped"];
  const { lag_s: lag } = replication;
  return ["good", lag === null ? "flowing" : `${duration(lag)} behind`];
}

/** Only the primary knows what is still to be copied. */
function filesOnPrimary({ files, peer }: Status): [Health, string] {
  if (!files || !peer?.heard) return ["unknown", "not known"];
  if (peer.role === "primary") return BOTH_PRIMARY;
  const trouble = files.trouble || files.last_error;
  if (trouble) return ["bad", trouble];
  return ["good", files.pending === 0 ? "all copied" : `${plural(files.pending, "change", "changes")} left`];
}

function pingState({ pings }: Status): [Health, string] {
  const peer = pings?.peer;
  if (!peer) return ["unknown", "not asked yet"];
  if (peer.missed > 0) return ["bad", `${plural(peer.missed, "ping", "pings")} in a row missed`];
  return peer.round_trip_ms === null ? ["unknown", "not asked yet"] : ["good", milliseconds(peer.round_trip_ms)];
}

function linksOf(status: Status): LinkView[] {
  const isPrimary = status.node.role === "primary";
  const data = isPrimary ? "right" : "left";
  const link = (name: string, [health, text]: [Health, string], direction: "right" | "left"): LinkView =>
    status.monitor.running ? { name, health, text, direction } : { name, health: "unknown", text: "not known", direction };
  return [
    link("rows", isPrimary ? rowsOnPrimary(status) : rowsOnSecondary(status), data),
    link("files", isPrimary ? filesOnPrimary(status) : ["unknown", "shown on the primary"], data),
    link("ping", pingState(status), "right"),
  ];
}

/** Held by the primary alone is good; by nobody or by both is not. */
function virtualAddressFact({ virtual_address: found, monitor }: Status): ServerFact | null {
  if (!found) return null;
  const name = `virtual address ${found.address} (${found.interface})`;
  if (!monitor.running) return { text: `${name}: not known where`, health: "unknown" };
  if (found.holders.length === 0) return { text: `${name}: on no server`, health: "bad" };
  return { text: `${name}: on ${found.holders.join(" and ")}`, health: found.holders.length === 1 ? "good" : "bad" };
}

export function pictureOf(status: Status): Picture {
  const own = ownView(status, status.node);
  const virtualAddress = virtualAddressFact(status);
  if (!status.peer) return { servers: [own], links: [], virtualAddress };
  return { servers: [own, peerView(status.peer)], links: linksOf(status), virtualAddress };
}
