/** From the newest entries to older ones and back; the place is part of the address. */

import { Button, Flex } from "@patternfly/react-core";

import type { Query } from "../lib/useQuery";

export function Pager({ query, next }: { query: Query; next: string | number | null }) {
  const before = query.value("before");
  return (
    <Flex component="nav" aria-label="Pages of entries" className="hapair-pager">
      {before !== "" && (
        <Button
          variant="secondary"
          onClick={() => {
            query.change({ before: "" });
          }}
        >
          Newest
        </Button>
      )}
      {next !== null && (
        <Button
          variant="secondary"
          onClick={() => {
            query.change({ before: String(next) });
          }}
        >
          Older
        </Button>
      )}
    </Flex>
  );
}
