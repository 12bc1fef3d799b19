/** The control that fits a field's kind. */

import { InputGroup, InputGroupItem, InputGroupText, Radio, Switch, TextArea, TextInput } from "@patternfly/react-core";

import type { Field, Value } from "../../api/model";

export interface ControlProps {
  field: Field;
  value: Value;
  invalid: boolean;
  onChange: (value: Value) => void;
}

function Choice({ field, value, onChange }: ControlProps) {
  return (
    <div className="hapair-choices">
      {field.choices.map((choice) => (
        <Radio
          key={choice}
          id={`${field.name}-${choice}`}
          name={field.name}
          label={choice}
          isChecked={value === choice}
          onChange={() => {
            onChange(choice);
          }}
        />
      ))}
    </div>
  );
}

function Text({ field, value, invalid, onChange }: ControlProps) {
  return (
    <TextInput
      id={field.name}
      value={String(value)}
      validated={invalid ? "error" : "default"}
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

function Script({ field, value, invalid, onChange }: ControlProps) {
  return (
    <TextArea
      id={field.name}
      className="hapair-script"
      value={String(value)}
      validated={invalid ? "error" : "default"}
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

function YesNo({ field, value, onChange }: ControlProps) {
  return (
    <Switch
      id={field.name}
      aria-label={field.label}
      aria-describedby={`${field.name}-help`}
      label={value ? "yes" : "no"}
      isChecked={Boolean(value)}
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
