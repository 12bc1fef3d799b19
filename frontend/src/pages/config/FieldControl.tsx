/** The control that fits a field's kind. */

import { InputGroup, InputGroupItem, InputGroupText, Radio, Switch, TextArea, TextInput } from "@patternfly/react-core";
import { lazy, Suspense } from "react";

import type { Field, Value } from "../../api/model";
import { checkScript } from "./checkScript";

/** Loaded when a script is first shown: most visits never need it. */
const ScriptEditor = lazy(() => import("../../editor/ScriptEditor"));

export interface ControlProps {
  field: Field;
  value: Value;
  invalid: boolean;
  readOnly: boolean;
  onChange: (value: Value) => void;
}

/** Those who may not change a script are not told what is wrong with it either. */
const NOT_ASKED = () => Promise.resolve(null);

function Choice({ field, value, readOnly, onChange }: ControlProps) {
  return (
    <div className="hapair-choices">
      {field.choices.map((choice) => (
        <Radio
          key={choice}
          id={`${field.name}-${choice}`}
          name={field.name}
          label={choice}
          isChecked={value === choice}
          isDisabled={readOnly}
          onChange={() => {
            onChange(choice);
          }}
        />
      ))}
    </div>
  );
}

function Text({ field, value, invalid, readOnly, onChange }: ControlProps) {
  return (
    <TextInput
      id={field.name}
      value={String(value)}
      validated={invalid ? "error" : "default"}
      readOnlyVariant={readOnly ? "default" : undefined}
      aria-describedby={`${field.name}-help`}
      inputMode={field.kind === "integer" ? "numeric" : field.kind === "email" ? "email" : "text"}
      autoComplete="off"
      spellCheck="false"
      onChange={(_event, text) => {
        onChange(text);
      }}
    />
  );
}

function Integer(props: ControlProps) {
  return (
    <InputGroup className="hapair-number">
      <InputGroupItem isFill>
        <Text {...props} />
      </InputGroupItem>
      {props.field.unit && <InputGroupText>{props.field.unit}</InputGroupText>}
    </InputGroup>
  );
}

/** What stands in the place of the editor until it is loaded: the text can be read and changed at once. */
function PlainScript({ field, value, invalid, readOnly, onChange }: ControlProps) {
  return (
    <TextArea
      id={field.name}
      className="hapair-script"
      value={String(value)}
      validated={invalid ? "error" : "default"}
      readOnlyVariant={readOnly ? "default" : undefined}
      aria-describedby={`${field.name}-help`}
      rows={12}
      resizeOrientation="vertical"
      spellCheck="false"
      onChange={(_event, text) => {
        onChange(text);
      }}
    />
  );
}

function Script(props: ControlProps) {
  const { field, value, invalid, readOnly, onChange } = props;
  return (
    <Suspense fallback={<PlainScript {...props} />}>
      <ScriptEditor
        id={field.name}
        label={field.label}
        value={String(value)}
        invalid={invalid}
        readOnly={readOnly}
        onChange={onChange}
        check={readOnly ? NOT_ASKED : checkScript}
      />
    </Suspense>
  );
}

function YesNo({ field, value, readOnly, onChange }: ControlProps) {
  return (
    <Switch
      id={field.name}
      aria-label={field.label}
      aria-describedby={`${field.name}-help`}
      label={value ? "yes" : "no"}
      isChecked={Boolean(value)}
      isDisabled={readOnly}
      onChange={(_event, checked) => {
        onChange(checked);
      }}
    />
  );
}

export function FieldControl(props: ControlProps) {
  switch (props.field.kind) {
    case "choice":
      return <Choice {...props} />;
    case "integer":
      return <Integer {...props} />;
    case "script":
      return <Script {...props} />;
    case "boolean":
      return <YesNo {...props} />;
    default:
      return <Text {...props} />;
  }
}
