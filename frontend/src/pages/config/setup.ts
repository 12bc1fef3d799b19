/** The manual's way to a pair in five steps, and how far it is as seen from this server. */

import type { Role, StatusWord } from "../../api/model";

export type Place = "done" | "here" | "there" | "later";

export interface SetupStep {
  text: string;
  place: Place;
}

interface Seen {
  applied: Role;
  /** The role in the form. */
  drafted: Role;
  draftSaved: boolean;
  status: StatusWord | null;
}

const TEXTS = [
  "Save a draft on the primary, with a generated fingerprint",
  "Save a draft on the secondary, with the same fingerprint",
  "APPLY on the primary",
  "APPLY on the secondary",
  "The pair is stable",
];

/** Number of steps that are done, and whether the next one is on this server. */
function reached({ applied, drafted, draftSaved, status }: Seen): { done: number; isHere: boolean } {
  if (status === "initialized") return { done: 3, isHere: applied !== "primary" };
  if (status === "synchronizing") return { done: 4, isHere: applied !== "primary" };
  if (drafted === "primary") return draftSaved ? { done: 1, isHere: false } : { done: 0, isHere: true };
  return draftSaved ? { done: 2, isHere: false } : { done: 1, isHere: true };
}

/** The five steps, or none where no set-up is under way. */
export function setupSteps(seen: Seen): SetupStep[] {
  const underWay = seen.status === "initialized" || seen.status === "synchronizing";
  const starting = seen.applied === "standalone" && seen.drafted !== "standalone";
  if (!underWay && !starting) return [];
  const { done, isHere } = reached(seen);
  return TEXTS.map((text, index) => {
    if (index < done) return { text, place: "done" };
    if (index === done) return { text, place: isHere ? "here" : "there" };
    return { text, place: "later" };
  });
}
