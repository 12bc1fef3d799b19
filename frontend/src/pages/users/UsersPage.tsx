/** Who may use the console, and which tokens automation has. */

import { Stack } from "@patternfly/react-core";

import { PageTitle } from "../../components/PageTitle";
import { TokensCard } from "./TokensCard";
import { UsersCard } from "./UsersCard";

export default function UsersPage() {
  return (
    <Stack hasGutter>
      <PageTitle title="Users and tokens">
        Users are the same on both servers of a pair. Each server has its own tokens.
      </PageTitle>
      <UsersCard />
      <TokensCard />
    </Stack>
  );
}
