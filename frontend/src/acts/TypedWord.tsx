/** For what can't be undone: the button works only when the word has been typed. */

import { FormGroup, TextInput } from "@patternfly/react-core";

interface Props {
  word: string;
  typed: string;
  onChange: (typed: string) => void;
}

export function TypedWord({ word, typed, onChange }: Props) {
  return (
    <FormGroup
      fieldId="typed-word"
      label={
        <>
          Type <strong>{word}</strong> to confirm
        </>
      }
    >
      <TextInput
        id="typed-word"
        value={typed}
        autoComplete="off"
        spellCheck="false"
        onChange={(_event, value) => {
          onChange(value);
        }}
      />
    </FormGroup>
  );
}
