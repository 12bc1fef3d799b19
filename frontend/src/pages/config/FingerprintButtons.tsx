import { Button, Tooltip } from "@patternfly/react-core";
import CopyIcon from "@patternfly/react-icons/dist/esm/icons/copy-icon";
import { useState } from "react";

interface Props {
  value: string;
  canGenerate: boolean;
  busy: boolean;
  onGenerate: () => void;
}

export function FingerprintButtons({ value, canGenerate, busy, onGenerate }: Props) {
  const [copied, setCopied] = useState("");
  const copy = async () => {
    await navigator.clipboard.writeText(value);
    setCopied(value);
  };
  return (
    <>
      {canGenerate && (
        <Button variant="secondary" onClick={onGenerate} isDisabled={busy}>
          GENERATE
        </Button>
      )}
      {value !== "" && (
        <Tooltip content={copied === value ? "Copied" : "Copy"} aria="none" aria-live="polite">
          <Button variant="plain" aria-label="Copy the fingerprint" icon={<CopyIcon />} onClick={() => void copy()} />
        </Tooltip>
      )}
    </>
  );
}
