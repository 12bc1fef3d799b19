/** A page with a log: newest first, filters and place in the address, a sentence where there is nothing. */

import { Button, Card, CardBody, Stack, StackItem } from "@patternfly/react-core";
import type { ReactNode } from "react";

import { get } from "../api/client";
import type { Listing } from "../api/model";
import { useQuery } from "../lib/useQuery";
import { useResource } from "../lib/useResource";
import { type Column, DataTable } from "./DataTable";
import { Loading } from "./Loading";
import { PageTitle } from "./PageTitle";
import { Pager } from "./Pager";
import { ProblemAlert } from "./ProblemAlert";

interface Props<Row, Page extends Listing<Row>> {
  title: string;
  explanation: string;
  /** API path. */
  path: string;
  columns: Column<Row>[];
  keyOf: (row: Row) => string;
  empty: string;
  filters?: ReactNode;
  /** Beside the button that loads again. */
  actions?: ReactNode;
  /** What is to be said of a page above its entries. */
  notes?: (page: Page) => ReactNode;
  /** Under the log. */
  below?: ReactNode;
  /** Changes when there may be something new. */
  refreshKey?: string;
}

export function LogPage<Row, Page extends Listing<Row> = Listing<Row>>(props: Props<Row, Page>) {
  const { title, explanation, path, columns, keyOf, empty, filters, actions, notes, below, refreshKey = "" } = props;
  const query = useQuery();
  const address = query.text === "" ? path : `${path}?${query.text}`;
  const page = useResource(`${address} ${refreshKey}`, (signal) => get<Page>(address, signal));

  return (
    <Stack hasGutter>
      <StackItem>
        <PageTitle title={title}>{explanation}</PageTitle>
      </StackItem>
      <StackItem className="hapair-toolbar">
        {filters}
        <Button variant="secondary" onClick={page.reload} isLoading={page.loading}>
          Refresh
        </Button>
        {actions}
      </StackItem>
      <StackItem>
        <ProblemAlert problem={page.problem} onRetry={page.reload} />
        {!page.value && page.loading && <Loading what={title} />}
        {page.value && notes?.(page.value)}
        {page.value && (
          <Card>
            <CardBody>
              <DataTable caption={title} columns={columns} rows={page.value.items} keyOf={keyOf} empty={empty} />
              <Pager query={query} next={page.value.next} />
            </CardBody>
          </Card>
        )}
      </StackItem>
      {below && <StackItem>{below}</StackItem>}
    </Stack>
  );
}
