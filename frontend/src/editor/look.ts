/** Colours and sizes of the editor, from the variables that the page sets for light and dark. */

import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const THEME = EditorView.theme({
  "&": {
    color: "var(--pf-t--global--text--color--regular)",
    backgroundColor: "var(--pf-t--global--background--color--primary--default)",
    fontSize: "var(--pf-t--global--font--size--sm)",
  },
  "&.cm-focused": { outline: "2px solid var(--pf-t--global--border--color--brand--default)" },
  ".cm-scroller": {
    fontFamily: "var(--pf-t--global--font--family--mono)",
    minHeight: "12rem",
    maxHeight: "32rem",
    overflow: "auto",
  },
  ".cm-content": { caretColor: "var(--pf-t--global--text--color--regular)" },
  ".cm-cursor": { borderLeftColor: "var(--pf-t--global--text--color--regular)" },
  ".cm-gutters": {
    alignSelf: "stretch",
    color: "var(--pf-t--global--text--color--subtle)",
    backgroundColor: "var(--pf-t--global--background--color--secondary--default)",
    border: "none",
  },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--hapair-code-selection)",
  },
  ".cm-tooltip": {
    color: "var(--pf-t--global--text--color--regular)",
    backgroundColor: "var(--pf-t--global--background--color--floating--default)",
    border: "1px solid var(--pf-t--global--border--color--default)",
  },
});

const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--hapair-code-keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--hapair-code-string)" },
  { tag: tags.comment, color: "var(--pf-t--global--text--color--subtle)", fontStyle: "italic" },
  { tag: [tags.meta, tags.processingInstruction], color: "var(--pf-t--global--text--color--subtle)" },
  { tag: [tags.standard(tags.variableName), tags.attributeName], color: "var(--hapair-code-name)" },
  { tag: [tags.definition(tags.variableName), tags.definition(tags.name)], color: "var(--hapair-code-variable)" },
  { tag: tags.number, color: "var(--hapair-code-number)" },
]);

export const LOOK = [THEME, syntaxHighlighting(COLOURS)];
