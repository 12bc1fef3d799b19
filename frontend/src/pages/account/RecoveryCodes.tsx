/** Codes that each let in once, for the day on which the authenticator is lost. They are shown this once. */

import { Alert } from "@patternfly/react-core";

import { CopyText } from "../../components/CopyText";

export function RecoveryCodes({ codes }: { codes: string[] }) {
  return (
    <Alert component="p" variant="warning" isInline title="Keep these recovery codes: they are shown this once">
      <p>Each lets you in once instead of the six digits, for instance when the phone is lost.</p>
      <ul className="hapair-mono" data-testid="recovery-codes">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <CopyText text={codes.join(" ")} label="All recovery codes" />
    </Alert>
  );
}
