/** The authority that a server's certificate is checked with, for those who have one of their own. */

import { FormGroup, FormHelperText, HelperText, HelperTextItem, TextArea } from "@patternfly/react-core";

interface Props {
  id: string;
  value: string;
  onChange: (text: string) => void;
  errors?: string[];
}

export function AuthorityField({ id, value, onChange, errors = [] }: Props) {
  return (
    <FormGroup label="Certificate authority" fieldId={id}>
      <TextArea
        id={id}
        className="hapair-script"
        rows={value ? 6 : 2}
        spellCheck="false"
        value={value}
        validated={errors.length > 0 ? "error" : "default"}
        aria-describedby={`${id}-help`}
        onChange={(_event, text) => {
          onChange(text);
        }}
      />
      <FormHelperText id={`${id}-help`}>
        <HelperText>
          {errors.map((sentence) => (
            <HelperTextItem key={sentence} variant="error">
              {sentence}
            </HelperTextItem>
          ))}
          <HelperTextItem>PEM text; empty: those that the system trusts.</HelperTextItem>
        </HelperText>
      </FormHelperText>
    </FormGroup>
  );
}
