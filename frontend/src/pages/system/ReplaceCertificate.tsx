import { FormGroup, FormHelperText, HelperText, HelperTextItem, TextArea } from "@patternfly/react-core";
import { useState } from "react";

import { request } from "../../api/client";
import type { Certificate } from "../../api/model";
import { FormDialog } from "../../components/FormDialog";
import { useAction } from "../../lib/useAction";

interface PemProps {
  id: string;
  label: string;
  help: string;
  value: string;
  onChange: (text: string) => void;
  errors?: string[];
}

function Pem({ id, label, help, value, onChange, errors = [] }: PemProps) {
  return (
    <FormGroup label={label} fieldId={id} isRequired>
      <TextArea
        id={id}
        className="hapair-script"
        rows={6}
        spellCheck="false"
        autoComplete="off"
        value={value}
        validated={errors.length > 0 ? "error" : "default"}
        aria-describedby={`${id}-help`}
        onChange={(_event, text) => { onChange(text); }}
      />
      <FormHelperText id={`${id}-help`}>
        <HelperText>
          {errors.map((sentence) => <HelperTextItem key={sentence} variant="error">{sentence}</HelperTextItem>)}
          <HelperTextItem>{help}</HelperTextItem>
        </HelperText>
      </FormHelperText>
    </FormGroup>
  );
}

interface Props {
  onDone: (certificate: Certificate) => void;
  onClose: () => void;
}

export function ReplaceCertificate({ onDone, onClose }: Props) {
  const [certificate, setCertificate] = useState("");
  const [key, setKey] = useState("");
  const action = useAction();
  const errors = action.problem?.errors ?? {};
  const replace = async () => {
    onDone((await request<Certificate>("PUT", "/system/certificate", { body: { certificate, key } })).body);
  };
  return (
    <FormDialog
      title="Replace the certificate"
      description="The new one is served at once. If it does not fit, the old one stays."
      button="Replace"
      ready={certificate.trim() !== "" && key.trim() !== ""}
      action={action}
      onSubmit={() => void action.run(replace)}
      onClose={onClose}
    >
      <Pem id="certificate" label="Certificate" help="PEM: the server’s own first, then its chain." value={certificate} onChange={setCertificate} errors={errors.certificate} />
      <Pem id="key" label="Private key" help="PEM, without a password." value={key} onChange={setKey} errors={errors.key} />
    </FormDialog>
  );
}
