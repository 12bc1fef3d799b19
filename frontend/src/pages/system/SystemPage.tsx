import { Card, CardBody, CardTitle, DescriptionList, Stack, StackItem } from "@patternfly/react-core";

import { addressOf, get } from "../../api/client";
import type { System } from "../../api/model";
import { Fact } from "../../components/Fact";
import { Loading } from "../../components/Loading";
import { PageTitle } from "../../components/PageTitle";
import { ProblemAlert } from "../../components/ProblemAlert";
import { bytes } from "../../lib/format";
import { useResource } from "../../lib/useResource";
import { CertificateCard } from "./CertificateCard";

function Facts({ system }: { system: System }) {
  return (
    <DescriptionList isHorizontal>
      <Fact term="Hostname">{system.hostname}</Fact>
      <Fact term="Addresses">{system.addresses.join(", ") || "none"}</Fact>
      <Fact term="Gateway">{system.gateway ?? "none"}</Fact>
      <Fact term="Management tunnel network">{system.tunnel_network || "none"}</Fact>
      <Fact term="Version">{system.version}</Fact>
      <Fact term="Processors">{system.cpus}</Fact>
      <Fact term="Memory">{bytes(system.memory_bytes)}</Fact>
      <Fact term="Disk">
        {bytes(system.disk_bytes)}, of which {bytes(system.disk_free_bytes)} free
      </Fact>
    </DescriptionList>
  );
}

export default function SystemPage() {
  const system = useResource("/system", (signal) => get<System>("/system", signal));
  return (
    <Stack hasGutter>
      <StackItem>
        <PageTitle title="System">
          What this server is. Both servers of a pair must have the same version and the same size.
        </PageTitle>
      </StackItem>
      <StackItem>
        <ProblemAlert problem={system.problem} onRetry={system.reload} />
        {!system.value && system.loading && <Loading what="the facts of this server" />}
        {system.value && (
          <Card>
            <CardBody>
              <Facts system={system.value} />
            </CardBody>
          </Card>
        )}
      </StackItem>
      <StackItem>
        <CertificateCard />
      </StackItem>
      <StackItem>
        <Card component="section">
          <CardTitle component="h2">For programs</CardTitle>
          <CardBody>
            <a href={addressOf("/docs")}>What the API of this server can do</a>
          </CardBody>
        </Card>
      </StackItem>
    </Stack>
  );
}
