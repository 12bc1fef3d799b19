import { Label } from "@patternfly/react-core";

import type { Job } from "../api/model";
import { JOB_STATE } from "./words";

export function JobStateLabel({ state }: { state: Job["state"] }) {
  return <Label color={JOB_STATE[state].tone}>{JOB_STATE[state].text}</Label>;
}
