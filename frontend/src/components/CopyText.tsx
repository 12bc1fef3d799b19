/** A value that people copy, with the button that does it. */

import { ClipboardCopy } from "@patternfly/react-core";

export function CopyText({ text, label }: { text: string; label: string }) {
  return (
    <ClipboardCopy isReadOnly hoverTip="Copy" clickTip="Copied" textAriaLabel={label} copyAriaLabel={`Copy: ${label}`}>
      {text}
    </ClipboardCopy>
  );
}
