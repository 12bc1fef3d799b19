/** The fields of the mail server. */

import { FormGroup, Radio } from "@patternfly/react-core";

import type { MailShown } from "../../api/model";
import { TextField } from "../../components/TextField";
import { AuthorityField } from "./AuthorityField";
import type { MailForm } from "./useMailForm";

const SECURITY: { security: MailShown["security"]; text: string }[] = [
  { security: "starttls", text: "STARTTLS (usually port 587)" },
  { security: "tls", text: "TLS (usually port 465)" },
  { security: "none", text: "not encrypted (usually port 25)" },
];

interface Props {
  mail: MailShown;
  form: MailForm;
  errors: Record<string, string[]>;
}

export function MailFields({ mail, form, errors }: Props) {
  const { type } = form;
  return (
    <>
      <TextField id="mail-host" label="Mail server" value={form.text("host")} onChange={type("host")} errors={errors.host} />
      <TextField id="mail-port" label="Port" type="number" value={form.port} onChange={type("port")} errors={errors.port} />
      <FormGroup label="Encryption" role="radiogroup" fieldId="mail-security">
        {SECURITY.map(({ security, text }) => (
          <Radio
            key={security}
            id={`mail-security-${security}`}
            name="mail-security"
            label={text}
            isChecked={form.security === security}
            onChange={() => {
              type("security")(security);
            }}
          />
        ))}
      </FormGroup>
      <TextField id="mail-sender" label="Sender" type="email" value={form.text("sender")} onChange={type("sender")} errors={errors.sender} />
      <TextField id="mail-username" label="User name" isRequired={false} value={form.text("username")} onChange={type("username")} errors={errors.username} help="Empty: without a login." />
      <TextField
        id="mail-password"
        label="Password"
        type="password"
        isRequired={false}
        autoComplete="new-password"
        value={form.password}
        onChange={type("password")}
        errors={errors.password}
        help={mail.password_set ? "One is kept, and stays if nothing is typed." : "None is kept."}
      />
      <AuthorityField id="mail-authority" value={form.text("authority")} onChange={type("authority")} errors={errors.authority} />
    </>
  );
}
