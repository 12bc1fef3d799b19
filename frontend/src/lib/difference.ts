/** Where two texts of several lines differ, for a reader who has both side by side. */

const LINES_MAX = 12;

function numbered(lines: string[], from: number, to: number): string {
  if (from >= to) return "(nothing here)";
  const shown = lines.slice(from, Math.min(to, from + LINES_MAX)).map((line, index) => `${from + index + 1}  ${line}`);
  const more = to - from - shown.length;
  return [...shown, ...(more > 0 ? [`… and ${more} more`] : [])].join("\n");
}

/** The lines of each from the first to the last that differ, with their numbers; what is the same around them is left out. */
export function difference(before: string, after: string): [string, string] {
  const [old, changed] = [before.split("\n"), after.split("\n")];
  const shorter = Math.min(old.length, changed.length);
  let start = 0;
  while (start < shorter && old[start] === changed[start]) start += 1;
  let end = 0;
  while (end < shorter - start && old.at(-1 - end) === changed.at(-1 - end)) end += 1;
  return [numbered(old, start, old.length - end), numbered(changed, start, changed.length - end)];
}
