/** A labelled line of text with what is wrong with it, for small forms. */

import { FormGroup, FormHelperText, HelperText, HelperTextItem, TextInput } from "@patternfly/react-core";

interface Props {
  id: string;
  label: string;
  value: string;
  onChange: (text: string) => void;
  type?: "text" | "password" | "email" | "number";
  autoComplete?: string;
  help?: string;
  errors?: string[];
  isRequired?: boolean;
}

export function TextField(props: Props) {
  const { id, label, value, onChange, type = "text", autoComplete = "off", help, errors = [], isRequired = true } = props;
  return (
    <FormGroup label={label} fieldId={id} isRequired={isRequired}>
      <TextInput
        id={id}
        type={type}
        isRequired={isRequired}
        autoComplete={autoComplete}
        spellCheck="false"
        value={value}
        validated={errors.length > 0 ? "error" : "default"}
        aria-describedby={help || errors.length > 0 ? `${id}-help` : undefined}
        onChange={(_event, text) => {
          onChange(text);
        }}
      />
      {(help || errors.length > 0) && (
        <FormHelperText id={`${id}-help`}>
          <HelperText>
            {errors.map((sentence) => (
              <HelperTextItem key={sentence} variant="error">
                {sentence}
              </HelperTextItem>
            ))}
            {help && <HelperTextItem>{help}</HelperTextItem>}
          </HelperText>
        </FormHelperText>
      )}
    </FormGroup>
  );
}
