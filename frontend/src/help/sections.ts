/** The help of each page: its section of docs/console.md, the same text that the documentation shows. */

import text from "../../../docs/console.md?raw";

export type Block = { kind: "paragraph"; text: string } | { kind: "list"; items: string[] };

/** Sections begin with `### Title` and end with the next heading. */
function sectionOf(title: string): string {
  const [, rest = ""] = text.split(`\n### ${title}\n`, 2);
  return rest.split(/\n#{1,3} /, 1)[0] ?? "";
}

/** The section as paragraphs and lists; pictures are left out. */
export function helpOf(title: string): Block[] {
  return sectionOf(title)
    .split(/\n{2,}/)
    .map((part) => part.trim())
    .filter((part) => part !== "" && !part.startsWith("!["))
    .map((part) => {
      if (!part.startsWith("- ")) return { kind: "paragraph", text: part.replaceAll("\n", " ") };
      return { kind: "list", items: part.slice(2).split("\n- ").map((item) => item.replaceAll("\n", " ")) };
    });
}
