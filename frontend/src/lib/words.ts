/** The words for roles and for the pair's status, with the colour each has everywhere in the console. */

import type { Role, StatusWord } from "../api/model";

export type Tone = "grey" | "blue" | "green" | "orange" | "red" | "purple";

/** Sentences stand in for a status whose reasons the server has not given. */
export const STATUS: Record<StatusWord, { tone: Tone; sentence: string }> = {
  standalone: { tone: "grey", sentence: "This server is not part of a pair." },
  initialized: { tone: "blue", sentence: "The primary is set up. Now APPLY on the secondary server." },
  synchronizing: { tone: "blue", sentence: "The secondary is receiving its copy of the data." },
  stable: { tone: "green", sentence: "Both servers work, and the secondary has all data." },
  degraded: { tone: "orange", sentence: "The pair works, but not as it should." },
  fenced: { tone: "red", sentence: "This server refuses writes until it knows that it may accept them." },
  conflict: { tone: "red", sentence: "Both servers claim to be primary. An administrator has to choose." },
};

export const ROLE_TONE: Record<Role, Tone> = { primary: "purple", secondary: "blue", standalone: "grey" };

/** Colours for the icon of the browser tab, which has no style sheet. */
export const TONE_COLOUR: Record<Tone, string> = {
  grey: "#707070",
  blue: "#0066cc",
  green: "#3d7317",
  orange: "#ca6c0f",
  red: "#b1380b",
  purple: "#5e40be",
};
