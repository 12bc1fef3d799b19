/** What is kept aside on this server because there may be no other copy. */

import { Button, Card, CardBody, Content, Flex, Stack, StackItem } from "@patternfly/react-core";
import { useState } from "react";

import { ActDialog, type ActSpec } from "../../acts/ActDialog";
import { addressOf, get, request } from "../../api/client";
import type { Rescue, RescuePage } from "../../api/model";
import { useMayChange } from "../../app/session";
import { type Column, DataTable } from "../../components/DataTable";
import { Loading } from "../../components/Loading";
import { PageTitle } from "../../components/PageTitle";
import { ProblemAlert } from "../../components/ProblemAlert";
import { Time } from "../../components/Time";
import { plural } from "../../lib/format";
import { useResource } from "../../lib/useResource";
import { RescueContents } from "./RescueContents";

function pathOf(rescue: Rescue): string {
  return `/ha/rescues/${encodeURIComponent(rescue.id)}`;
}

function columns(mayChange: boolean, onRemove: (rescue: Rescue) => void): Column<Rescue>[] {
  return [
    { title: "When", cell: (rescue) => <Time at={rescue.at} /> },
    { title: "What", cell: (rescue) => rescue.reason },
    { title: "Holds", cell: (rescue) => <RescueContents rescue={rescue} /> },
    {
      title: "Where",
      cell: (rescue) => (
        <>
          <span className="hapair-mono">{rescue.path}</span>
          {mayChange && (
            <Flex gap={{ default: "gapSm" }}>
              <Button variant="link" isInline component="a" href={addressOf(`${pathOf(rescue)}/download`)} download>
                Download
              </Button>
              <Button
                variant="link"
                isInline
                isDanger
                onClick={() => {
                  onRemove(rescue);
                }}
              >
                Remove…
              </Button>
            </Flex>
          )}
        </>
      ),
    },
  ];
}

function removal(rescue: Rescue, onDone: () => void): ActSpec {
  return {
    title: "Remove a rescue for good",
    explanation: `${rescue.reason} There may be no other copy of it. Download it first if it may be needed.`,
    button: "Remove",
    danger: true,
    word: rescue.id,
    act: async () => {
      await request("DELETE", pathOf(rescue), { body: { confirm: rescue.id } });
      onDone();
    },
  };
}

export default function RescuesPage() {
  const page = useResource("/ha/rescues", (signal) => get<RescuePage>("/ha/rescues", signal));
  const mayChange = useMayChange();
  const [chosen, setChosen] = useState<Rescue | null>(null);
  const close = () => {
    setChosen(null);
  };
  const hidden = page.value ? page.value.count - page.value.items.length : 0;

  return (
    <Stack hasGutter>
      <StackItem>
        <PageTitle title="Rescues">
          What this server keeps aside because there may be no other copy.
        </PageTitle>
      </StackItem>
      <StackItem>
        <ProblemAlert problem={page.problem} onRetry={page.reload} />
        {!page.value && page.loading && <Loading what="the rescues" />}
        {page.value && (
          <Card>
            <CardBody>
              <DataTable
                caption="Rescues"
                columns={columns(mayChange, setChosen)}
                rows={page.value.items}
                keyOf={(rescue) => rescue.id}
                empty="When a former primary rejoins with transactions or files that only it has, they are listed here."
              />
              {hidden > 0 && <Content component="small">{plural(hidden, "older one is", "older ones are")} not shown.</Content>}
            </CardBody>
          </Card>
        )}
      </StackItem>
      {chosen && (
        <ActDialog
          spec={removal(chosen, () => {
            close();
            page.reload();
          })}
          onClose={close}
        />
      )}
    </Stack>
  );
}
