/** All fields that the chosen role uses, in the order of the manual's panel; the advanced ones behind a fold. */

import { ExpandableSection, Form } from "@patternfly/react-core";
import { type SyntheticEvent, useState } from "react";

import type { Field, Role } from "../../api/model";
import { useMayChange } from "../../app/session";
import { FieldRow } from "./FieldRow";
import { FingerprintButtons } from "./FingerprintButtons";
import { RoleSentence } from "./RoleSentence";
import { isUsed, roleOf } from "./rules";
import type { ConfigEditor } from "./useConfigEditor";

interface Props {
  editor: ConfigEditor;
  fields: Field[];
  applied: Role;
}

function Row({ editor, field, applied }: { editor: ConfigEditor; field: Field; applied: Role }) {
  const value = editor.values[field.name] ?? field.default;
  const mayChange = useMayChange();
  return (
    <FieldRow
      field={field}
      value={value}
      applied={editor.config?.applied[field.name]}
      error={editor.errors[field.name]}
      readOnly={!mayChange}
      onChange={(changed) => {
        editor.change(field.name, changed);
      }}
    >
      {field.kind === "fingerprint" && (
        <FingerprintButtons
          value={String(value)}
          canGenerate={mayChange && applied === "standalone" && roleOf(editor.values) === "primary"}
          busy={editor.action.running}
          onGenerate={() => void editor.generate()}
        />
      )}
    </FieldRow>
  );
}

export function ConfigForm({ editor, fields, applied }: Props) {
  const role = roleOf(editor.values);
  const [opened, setOpened] = useState(false);
  const used = fields.filter((field) => isUsed(field, role));
  const basic = used.filter((field) => field.section === "basic");
  const advanced = used.filter((field) => field.section === "advanced");
  const hiddenError = advanced.some((field) => editor.errors[field.name] !== undefined);

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    void editor.save();
  };

  return (
    <Form onSubmit={submit} id="config-form" noValidate>
      {basic.map((field) => (
        <div key={field.name}>
          <Row editor={editor} field={field} applied={applied} />
          {field.name === "HAServerRole" && (
            <RoleSentence transitions={editor.config?.transitions ?? []} applied={applied} drafted={role} />
          )}
        </div>
      ))}
      {advanced.length > 0 && (
        <ExpandableSection
          toggleText="Advanced"
          isExpanded={opened || hiddenError}
          onToggle={(_event, expanded) => {
            setOpened(expanded);
          }}
          isIndented
        >
          <div className="hapair-fields">
            {advanced.map((field) => (
              <Row key={field.name} editor={editor} field={field} applied={applied} />
            ))}
          </div>
        </ExpandableSection>
      )}
    </Form>
  );
}
