import { FormGroup, Radio } from "@patternfly/react-core";
import { useState } from "react";

import { post } from "../../api/client";
import type { TokenOnce } from "../../api/model";
import { FormDialog } from "../../components/FormDialog";
import { TextField } from "../../components/TextField";
import { useAction } from "../../lib/useAction";

const DAYS = "365";
const SCOPES = [
  { scope: "read", text: "Sees status, configuration and logs." },
  { scope: "operate", text: "Also acts on the pair: swap, takeover, maintenance." },
  { scope: "configure", text: "Changes everything, users and tokens included." },
];

export function MakeToken({ onMade, onClose }: { onMade: (token: TokenOnce) => void; onClose: () => void }) {
  const [label, setLabel] = useState("");
  const [scope, setScope] = useState("read");
  const [days, setDays] = useState(DAYS);
  const action = useAction();
  const errors = action.problem?.errors ?? {};
  const make = async () => {
    const ends = days.trim() === "" ? null : Number(days);
    onMade(await post<TokenOnce>("/tokens", { label: label.trim(), scope, expires_in_days: ends }));
  };
  return (
    <FormDialog
      title="Make a token"
      button="Make"
      ready={label.trim() !== ""}
      action={action}
      onSubmit={() => void action.run(make)}
      onClose={onClose}
    >
      <TextField id="token-label" label="Label" value={label} onChange={setLabel} errors={errors.label} help="What uses it." />
      <FormGroup label="Scope" role="radiogroup" fieldId="token-scope">
        {SCOPES.map((each) => (
          <Radio
            key={each.scope}
            id={`token-scope-${each.scope}`}
            name="token-scope"
            label={each.scope}
            description={each.text}
            isChecked={scope === each.scope}
            onChange={() => { setScope(each.scope); }}
          />
        ))}
      </FormGroup>
      <TextField
        id="token-days"
        label="Ends after days"
        type="number"
        isRequired={false}
        value={days}
        onChange={setDays}
        errors={errors.expires_in_days}
        help="1 to 3650; empty: it never ends."
      />
    </FormDialog>
  );
}
