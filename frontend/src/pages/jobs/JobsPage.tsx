import { Button } from "@patternfly/react-core";
import { Link } from "wouter";

import { useLiveStatus } from "../../app/live";
import type { Job } from "../../api/model";
import type { Column } from "../../components/DataTable";
import { LogPage } from "../../components/LogPage";
import { Time } from "../../components/Time";
import { JobStateLabel } from "../../jobs/JobStateLabel";
import { kindText } from "../../jobs/words";

const COLUMNS: Column<Job>[] = [
  { title: "Asked for", cell: (job) => <Time at={job.created_at} /> },
  { title: "Job", cell: (job) => <Link href={`/jobs/${job.id}`}>{kindText(job.kind)}</Link> },
  { title: "State", cell: (job) => <JobStateLabel state={job.state} /> },
  { title: "Started by", cell: (job) => job.actor },
  { title: "Message", cell: (job) => job.message },
];

export default function JobsPage() {
  const running = useLiveStatus().status?.job;
  return (
    <LogPage<Job>
      title="Jobs"
      explanation="Long changes of this server and what became of them."
      path="/jobs"
      refreshKey={running ? `${running.id} ${running.state}` : ""}
      columns={COLUMNS}
      keyOf={(job) => job.id}
      actions={
        <Button variant="link" component="a" href="/dashboard/">
          Queue of the worker (RQ dashboard)
        </Button>
      }
      empty="Every APPLY, swap and takeover on this server will be listed here with its steps."
    />
  );
}
