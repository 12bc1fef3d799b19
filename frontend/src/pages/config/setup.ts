/** The manual's way to a pair in five steps, and how far it is as seen from this server. */

import type { Role, StatusNode } from "../../api/model";

export type Place = "done" | "here" | "there" | "next" | "later";

export interface SetupStep {
  text: string;
  place: Place;
}

/** The steps that are made on each server, by number. */
const MADE_ON: Record<Role, number[]> = { primary: [0, 2], secondary: [1, 3], standalone: [] };

interface Seen {
  applied: Role;
  /** The role in the form. */
  drafted: Role;
  draftSaved: boolean;
  /** Not the status word: a swap, too, is called synchronizing. */
  phase: StatusNode["phase"] | null;
}

const TEXTS = [
  "Save a draft on the primary, with a generated fingerprint",
  "Save a draft on the secondary, with the same fingerprint",
  "APPLY on the primary",
  "APPLY on the secondary",
  "The pair is stable",
];

/** Number of steps that are done, and whether the next one is on this server. */
function reached({ applied, drafted, draftSaved, phase }: Seen): { done: number; isHere: boolean } {
  if (phase === "initialized") return { done: 3, isHere: applied !== "primary" };
  if (phase === "synchronizing") return { done: 4, isHere: applied !== "primary" };
  if (drafted === "primary") return draftSaved ? { done: 1, isHere: false } : { done: 0, isHere: true };
  return draftSaved ? { done: 2, isHere: false } : { done: 1, isHere: true };
}

/** The five steps, or none where no set-up is under way. */
export function setupSteps(seen: Seen): SetupStep[] {
  const underWay = seen.phase === "initialized" || seen.phase === "synchronizing";
  const starting = seen.applied === "standalone" && seen.drafted !== "standalone";
  if (!underWay && !starting) return [];
  const { done, isHere } = reached(seen);
  return TEXTS.map((text, index) => {
    if (index < done) return { text, place: "done" };
    if (index === done) return { text, place: isHere ? "here" : "there" };
    if (index === done + 1 && !isHere && MADE_ON[seen.drafted].includes(index)) return { text, place: "next" };
    return { text, place: "later" };
  });
}
