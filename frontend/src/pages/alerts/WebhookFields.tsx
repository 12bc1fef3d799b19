/** The fields of the webhook. */

import type { WebhookShown } from "../../api/model";
import { TextField } from "../../components/TextField";
import { AuthorityField } from "./AuthorityField";
import { shown, type Typed } from "./webhook";

interface Props {
  webhook: WebhookShown | null;
  typed: Typed;
  errors: Record<string, string[]>;
  change: (name: keyof Typed) => (text: string) => void;
}

export function WebhookFields({ webhook, typed, errors, change }: Props) {
  const { url, authority } = shown(webhook, typed);
  return (
    <>
      <TextField id="webhook-url" label="Address" value={url} onChange={change("url")} errors={errors.url} />
      <TextField
        id="webhook-secret"
        label="Secret"
        type="password"
        isRequired={false}
        autoComplete="new-password"
        value={typed.secret ?? ""}
        onChange={change("secret")}
        errors={errors.secret}
        help={webhook?.secret_set ? "One is kept, and stays if nothing is typed." : "Signs the calls, so that their receiver knows them."}
      />
      <AuthorityField id="webhook-authority" value={authority} onChange={change("authority")} errors={errors.authority} />
    </>
  );
}
