import { Alert, Button, Card, CardBody, CardTitle, Content } from "@patternfly/react-core";
import { useState } from "react";

import { ActDialog, type ActSpec } from "../../acts/ActDialog";
import { get, request } from "../../api/client";
import type { Token, TokenOnce } from "../../api/model";
import { CopyText } from "../../components/CopyText";
import { type Column, DataTable } from "../../components/DataTable";
import { Loading } from "../../components/Loading";
import { ProblemAlert } from "../../components/ProblemAlert";
import { Time } from "../../components/Time";
import { useResource } from "../../lib/useResource";
import { MakeToken } from "./MakeToken";

/** The token with which root's own command line speaks to the API; the server keeps it. */
const LOCAL_TOKEN = "local";

function withdrawal(token: Token, onDone: () => void): ActSpec {
  return {
    title: `Withdraw the token ${token.label}`,
    explanation: "Whoever uses it is refused from now on. It can't be brought back; a new one can be made.",
    button: "Withdraw",
    danger: true,
    act: async () => {
      await request("DELETE", `/tokens/${encodeURIComponent(token.id)}`);
      onDone();
    },
  };
}

function columns(onWithdraw: (token: Token) => void): Column<Token>[] {
  return [
    { title: "Label", cell: (token) => token.label },
    { title: "Scope", cell: (token) => token.scope },
    { title: "Made", cell: (token) => <><Time at={token.created_at} /> by {token.created_by}</> },
    { title: "Last use", cell: (token) => (token.last_used_at ? <Time at={token.last_used_at} /> : "never") },
    { title: "Ends", cell: (token) => (token.expires_at ? <Time at={token.expires_at} /> : "never") },
    {
      title: "Change",
      cell: (token) =>
        token.id === LOCAL_TOKEN ? (
          "of root’s command line"
        ) : (
          <Button variant="link" isInline isDanger onClick={() => { onWithdraw(token); }}>
            Withdraw…
          </Button>
        ),
    },
  ];
}

export function TokensCard() {
  const tokens = useResource("/tokens", (signal) => get<{ items: Token[] }>("/tokens", signal));
  const [act, setAct] = useState<ActSpec | null>(null);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<TokenOnce | null>(null);
  const done = () => {
    setAct(null);
    tokens.reload();
  };
  return (
    <Card component="section" data-testid="tokens">
      <CardTitle component="h2">Tokens of this server</CardTitle>
      <CardBody className="hapair-sentences">
        <Content component="p">A token lets a program use the API without a person’s password.</Content>
        <div>
          <Button variant="secondary" onClick={() => { setMaking(true); }}>
            Make a token…
          </Button>
        </div>
        {made && (
          <Alert component="p" variant="warning" isInline title={`Copy the token ${made.label} now: it is shown this once`}>
            <CopyText text={made.token} label="The new token" />
          </Alert>
        )}
        <ProblemAlert problem={tokens.problem} onRetry={tokens.reload} />
        {!tokens.value && tokens.loading && <Loading what="the tokens" />}
        {tokens.value && (
          <DataTable
            caption="Tokens"
            columns={columns((token) => { setAct(withdrawal(token, done)); })}
            rows={tokens.value.items}
            keyOf={(token) => token.id}
            empty="Tokens for automation will be listed here."
          />
        )}
      </CardBody>
      {act && <ActDialog spec={act} onClose={() => { setAct(null); }} />}
      {making && (
        <MakeToken
          onMade={(token) => {
            setMaking(false);
            setMade(token);
            tokens.reload();
          }}
          onClose={() => { setMaking(false); }}
        />
      )}
    </Card>
  );
}
