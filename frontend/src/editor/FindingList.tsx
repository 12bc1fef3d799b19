/** What was found in the script, as a list under it: each entry leads to its line. */

import { Button, Content } from "@patternfly/react-core";

import type { Finding, ScriptCheck } from "../api/model";

interface Props {
  check: ScriptCheck;
  onChoose: (finding: Finding) => void;
}

const LEVEL: Record<Finding["level"], string> = { error: "error", warning: "warning", info: "note", style: "style" };

export function FindingList({ check, onChoose }: Props) {
  const { findings, notes } = check;
  return (
    <div aria-live="polite" data-testid="script-findings">
      {findings.length > 0 && (
        <ul className="hapair-findings">
          {findings.map((finding) => (
            <li key={`${finding.line} ${finding.column} ${finding.code}`} className={`hapair-finding-${finding.level}`}>
              <Button
                variant="link"
                isInline
                onClick={() => {
                  onChoose(finding);
                }}
              >
                Line {finding.line}
              </Button>
              , {LEVEL[finding.level]}: {finding.message} ({finding.code})
            </li>
          ))}
        </ul>
      )}
      {notes.map((note) => (
        <Content component="small" key={note}>
          {note}
        </Content>
      ))}
    </div>
  );
}
