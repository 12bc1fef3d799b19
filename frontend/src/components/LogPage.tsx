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

interface Props<Row> {
  title: string;
  explanation: string;
  /** API path. */
  path: string;
  columns: Column<Row>[];
  keyOf: (row: Row) => string;
  empty: string;
  filters?: ReactNode;
  /** Changes when there may be something new. */
  refreshKey?: string;
}

export function LogPage<Row>({ title, explanation, path, columns, keyOf, empty, filters, refreshKey = "" }: Props<Row>) {
  const query = useQuery();
  const address = query.text === "" ? path : `${path}?${query.text}`;
  const page = useResource(`${address} ${refreshKey}`, (signal) => get<Listing<Row>>(address, signal));

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
      </StackItem>
      <StackItem>
        <ProblemAlert problem={page.problem} onRetry={page.reload} />
        {!page.value && page.loading && <Loading what={title} />}
        {page.value && (
          <Card>
            <CardBody>
              <DataTable caption={title} columns={columns} rows={page.value.items} keyOf={keyOf} empty={empty} />
              <Pager query={query} next={page.value.next} />
            </CardBody>
          </Card>
        )}
      </StackItem>
    </Stack>
  );
}
