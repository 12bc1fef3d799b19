/** The job under way on this server, with a link to it. Its presence in the status is what brings it here. */

import { Label } from "@patternfly/react-core";
import InProgressIcon from "@patternfly/react-icons/dist/esm/icons/in-progress-icon";
import { Link } from "wouter";

import { kindText } from "../jobs/words";
import { useLiveStatus } from "./live";

export function RunningJob() {
  const job = useLiveStatus().status?.job;
  if (!job) return null;
  return (
    <Link href={`/jobs/${job.id}`} className="hapair-running-job">
      <Label color="blue" icon={<InProgressIcon />}>
        {kindText(job.kind)}
      </Label>
    </Link>
  );
}
