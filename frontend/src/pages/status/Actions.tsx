import { Button, Flex } from "@patternfly/react-core";
import { useState } from "react";

import type { Status } from "../../api/model";
import { useMayChange } from "../../app/session";
import { ActDialog } from "../../acts/ActDialog";
import { JobDialog } from "../../jobs/JobDialog";
import { offeredActs } from "./acts";

export function Actions({ status }: { status: Status }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const [jobId, setJobId] = useState<string | null>(null);
  const close = () => {
    setChosen(null);
  };
  const mayChange = useMayChange();
  const offered = offeredActs(status, {
    onDone: close,
    onJob: (id) => {
      close();
      setJobId(id);
    },
  });
  const acts = mayChange ? offered : [];
  const act = acts.find((each) => each.key === chosen);

  return (
    <>
      {acts.length > 0 && (
        <Flex gap={{ default: "gapSm" }} role="group" aria-label="Actions">
          {acts.map(({ key, label, spec }) => (
            <Button
              key={key}
              variant="secondary"
              isDanger={spec.danger}
              isDisabled={status.job !== null}
              onClick={() => {
                setChosen(key);
              }}
            >
              {label}
            </Button>
          ))}
        </Flex>
      )}
      {act && <ActDialog spec={act.spec} onClose={close} />}
      <JobDialog
        id={jobId}
        title="Job"
        onClose={() => {
          setJobId(null);
        }}
      />
    </>
  );
}
