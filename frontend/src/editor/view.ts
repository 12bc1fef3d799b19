/** The editor as CodeMirror knows it: made, given another text, opened and closed for changes. */

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { StreamLanguage } from "@codemirror/language";
import { shell } from "@codemirror/legacy-modes/mode/shell";
import { type Diagnostic, lintGutter, linter } from "@codemirror/lint";
import { Compartment, EditorState, type Text } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view";

import type { Finding } from "../api/model";
import { LOOK } from "./look";

/** So long after the last key the text is checked. */
const CHECK_DELAY_MS = 600;
const TAB_SIZE = 4;

interface Options {
  label: string;
  text: string;
  onChange: (text: string) => void;
  check: (text: string) => Promise<Finding[]>;
}

const editable = new Compartment();

function editableAs(open: boolean, invalid: boolean) {
  return [
    EditorState.readOnly.of(!open),
    EditorView.contentAttributes.of({ "aria-readonly": String(!open), "aria-invalid": String(invalid) }),
  ];
}

/** The place of a line and column that count from 1, inside the text whatever they are. */
function placeOf(text: Text, line: number, column: number): number {
  const found = text.line(Math.min(Math.max(line, 1), text.lines));
  return Math.min(found.from + Math.max(column, 1) - 1, found.to);
}

function diagnosticOf(text: Text, finding: Finding): Diagnostic {
  const from = placeOf(text, finding.line, finding.column);
  const to = Math.max(from, placeOf(text, finding.end_line, finding.end_column));
  const severity = finding.level === "style" ? "hint" : finding.level;
  return { from, to, severity, message: `${finding.message} (${finding.code})` };
}

export function makeEditor(place: HTMLElement, { label, text, onChange, check }: Options): EditorView {
  const root = place.shadowRoot ?? place.attachShadow({ mode: "open" });
  const extensions = [
    lineNumbers(),
    history(),
    drawSelection(),
    highlightActiveLine(),
    highlightSpecialChars(),
    EditorState.tabSize.of(TAB_SIZE),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false" }),
    editable.of(editableAs(true, false)),
    keymap.of([...defaultKeymap, ...historyKeymap]),
    StreamLanguage.define(shell),
    LOOK,
    lintGutter(),
    linter(
      async ({ state }) => (await check(state.doc.toString())).map((finding) => diagnosticOf(state.doc, finding)),
      { delay: CHECK_DELAY_MS },
    ),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) onChange(update.state.doc.toString());
    }),
  ];
  return new EditorView({ parent: root, root, state: EditorState.create({ doc: text, extensions }) });
}

/** Another text from outside (an undo of all edits, another draft) takes the place of what is there. */
export function showText(view: EditorView, text: string): void {
  if (view.state.doc.toString() === text) return;
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
}

export function withEditable(view: EditorView, open: boolean, invalid: boolean): void {
  view.dispatch({ effects: editable.reconfigure(editableAs(open, invalid)) });
}
