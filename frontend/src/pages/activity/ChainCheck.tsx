/** Each entry of the log is linked to the one before it; this goes through all links and says whether one is broken. */

import { Alert, Button, Card, CardBody, CardTitle, Content } from "@patternfly/react-core";
import { useRef, useState } from "react";

import { get } from "../../api/client";
import type { Chain, CheckedChain } from "../../api/model";
import { ProblemAlert } from "../../components/ProblemAlert";
import { plural } from "../../lib/format";
import { useAction } from "../../lib/useAction";

type Result = Omit<CheckedChain, "next"> & { chain: Chain; ended: boolean };

function pathOf(chain: Chain, after: number): string {
  return `/activity/chains/${chain.source}/${encodeURIComponent(chain.node_id)}?after=${after}`;
}

function nameOf({ node, source }: Chain): string {
  return source === "pair" ? `${node}, in the common log` : `${node}, this server’s own journal`;
}

function ResultLine({ result }: { result: Result }) {
  return (
    <>
      {result.accepted.map(({ entry, reason }) => (
        <Alert
          component="p"
          key={entry}
          variant="warning"
          isInline
          isPlain
          title={`${nameOf(result.chain)}: accepted by an administrator`}
        >
          {reason}
        </Alert>
      ))}
      <EndLine result={result} />
    </>
  );
}

function EndLine({ result }: { result: Result }) {
  const { chain, checked, broken, accepted, ended, unlinked } = result;
  const count = plural(checked, "entry", "entries");
  if (broken) {
    return (
      <Alert component="p" variant="danger" isInline title={`${nameOf(chain)}: broken at entry ${broken.entry}`}>
        {broken.reason} When the cause is known, <code>hapair activity accept</code> on {chain.node} ends the alarm.
      </Alert>
    );
  }
  const all = accepted.length > 0 ? "all else" : "each";
  const state = ended ? `checked, ${all} as it was written.` : "checked so far …";
  const older = unlinked > 0 ? ` ${plural(unlinked, "older entry is", "older entries are")} from before links were kept.` : "";
  return (
    <Alert
      component="p"
      variant={ended ? "success" : "info"}
      isInline
      isPlain
      title={`${nameOf(chain)}: ${count} ${state}${older}`}
    />
  );
}

export function ChainCheck() {
  const [results, setResults] = useState<Result[]>([]);
  const action = useAction();
  const left = useRef(false);

  /** Goes on until the end of the journal, or its first broken entry. */
  const checkOne = async (chain: Chain, show: (result: Result) => void) => {
    let result: Result = { chain, checked: 0, unlinked: 0, broken: chain.broken, accepted: [], ended: chain.broken !== null };
    let after: number | null = 0;
    while (after !== null && !result.broken && !left.current) {
      const part: CheckedChain = await get<CheckedChain>(pathOf(chain, after));
      after = part.next;
      result = {
        chain,
        checked: result.checked + part.checked,
        unlinked: result.unlinked + part.unlinked,
        broken: part.broken,
        accepted: [...result.accepted, ...part.accepted],
        ended: part.next === null,
      };
      show(result);
    }
    show(result);
  };

  const check = async () => {
    left.current = false;
    setResults([]);
    const { items } = await get<{ items: Chain[] }>("/activity/chains");
    for (const [index, chain] of items.entries()) {
      await checkOne(chain, (result) => {
        setResults((before) => [...before.slice(0, index), result]);
      });
    }
  };

  return (
    <Card component="section">
      <CardTitle component="h2">Is the log as it was written?</CardTitle>
      <CardBody className="hapair-sentences">
        <Content component="p">
          Each entry is linked to the one before it. The check follows all links and names the first that does not fit.
        </Content>
        <div>
          <Button
            variant="secondary"
            isLoading={action.running}
            onClick={() => {
              if (action.running) left.current = true;
              else void action.run(check);
            }}
          >
            {action.running ? "Stop" : "Check the log"}
          </Button>
        </div>
        <ProblemAlert problem={action.problem} />
        <div aria-live="polite" data-testid="chain-results">
          {results.map((result) => (
            <ResultLine key={`${result.chain.source} ${result.chain.node_id}`} result={result} />
          ))}
        </div>
      </CardBody>
    </Card>
  );
}
