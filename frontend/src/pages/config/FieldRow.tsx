/** One field: the manual's label, its name in the API, the control, help with bounds and default, and what is wrong. */

import { FormGroup, FormHelperText, HelperText, HelperTextItem, Label } from "@patternfly/react-core";
import type { ReactNode } from "react";

import type { Field, Value } from "../../api/model";
import { valueText } from "../../lib/format";
import { FieldControl } from "./FieldControl";

interface Props {
  field: Field;
  value: Value;
  applied: Value | undefined;
  error?: string;
  readOnly: boolean;
  onChange: (value: Value) => void;
  /** Buttons beside the control. */
  children?: ReactNode;
}

function boundsText({ kind, minimum, maximum, unit, default: standard }: Field): string {
  const parts: string[] = [];
  if (minimum !== null && maximum !== null) parts.push(`${minimum} to ${maximum}${unit ? ` ${unit}` : ""}`);
  const hasDefault = kind === "integer" || kind === "boolean" || kind === "choice";
  if (hasDefault) parts.push(`default ${valueText(standard)}`);
  return parts.length > 0 ? ` (${parts.join(", ")})` : "";
}

function Applied({ applied, value, field }: { applied: Value | undefined; value: Value; field: Field }) {
  if (applied === undefined || applied === value) return null;
  const text = field.kind === "script" && applied !== "" ? "another script" : valueText(applied);
  return (
    <HelperTextItem>
      <Label isCompact color="orange">
        changed
      </Label>{" "}
      applied: <span className="hapair-mono">{text}</span>
    </HelperTextItem>
  );
}

export function FieldRow({ field, value, applied, error, readOnly, onChange, children }: Props) {
  const isGroup = field.kind === "choice";
  return (
    <FormGroup
      label={field.label}
      labelInfo={<span className="hapair-mono hapair-quiet">{field.name}</span>}
      fieldId={field.name}
      role={isGroup ? "radiogroup" : undefined}
      isRequired={field.required && !isGroup}
    >
      <div className={children ? "hapair-with-buttons" : undefined}>
        <FieldControl field={field} value={value} invalid={error !== undefined} readOnly={readOnly} onChange={onChange} />
        {children}
      </div>
      <FormHelperText id={`${field.name}-help`}>
        <HelperText>
          {error && (
            <HelperTextItem variant="error" data-testid={`error-${field.name}`}>
              {error}
            </HelperTextItem>
          )}
          <HelperTextItem>
            {field.help}
            {boundsText(field)}
          </HelperTextItem>
          <Applied applied={applied} value={value} field={field} />
        </HelperText>
      </FormHelperText>
    </FormGroup>
  );
}
