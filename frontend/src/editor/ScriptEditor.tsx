/**
 * A bash script in an editor with line numbers, highlighting, and what was found in it at its lines.
 *
 * The editor lives in a shadow root: there CodeMirror's styles are made by script, which the Content-Security-Policy
 * allows, and not by style elements, which it refuses. Tab leaves the editor, as it leaves every other field.
 */

import type { EditorView } from "@codemirror/view";
import { useEffect, useRef, useState } from "react";

import type { Finding, ScriptCheck } from "../api/model";
import { FindingList } from "./FindingList";
import { makeEditor, showText, withEditable } from "./view";

export interface ScriptEditorProps {
  id: string;
  label: string;
  value: string;
  invalid: boolean;
  readOnly: boolean;
  onChange: (text: string) => void;
  /** Asks what is wrong with the text; nothing where it can't be asked. */
  check: (text: string) => Promise<ScriptCheck | null>;
}

/** What the editor calls is what was given last, without making a new editor for each new function. */
function useLatest<T>(value: T) {
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  });
  return latest;
}

export default function ScriptEditor({ id, label, value, invalid, readOnly, onChange, check }: ScriptEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const [found, setFound] = useState<ScriptCheck | null>(null);
  const given = useLatest({ value, onChange, check });

  useEffect(() => {
    const place = host.current;
    if (!place) return;
    const made = makeEditor(place, {
      label,
      text: given.current.value,
      onChange: (text) => {
        given.current.onChange(text);
      },
      check: async (text) => {
        const result = await given.current.check(text);
        setFound(result);
        return result?.findings ?? [];
      },
    });
    view.current = made;
    return () => {
      view.current = null;
      made.destroy();
    };
  }, [label, given]);

  useEffect(() => {
    if (view.current) showText(view.current, value);
  }, [value]);

  useEffect(() => {
    if (view.current) withEditable(view.current, !readOnly, invalid);
  }, [readOnly, invalid]);

  const goTo = (finding: Finding) => {
    const editor = view.current;
    if (!editor) return;
    const line = editor.state.doc.line(Math.min(finding.line, editor.state.doc.lines));
    editor.dispatch({ selection: { anchor: Math.min(line.from + finding.column - 1, line.to) }, scrollIntoView: true });
    editor.focus();
  };

  return (
    <div className="hapair-script-editor">
      <div id={id} ref={host} className={invalid ? "hapair-editor hapair-editor-invalid" : "hapair-editor"} />
      {found && <FindingList check={found} onChoose={goTo} />}
    </div>
  );
}
