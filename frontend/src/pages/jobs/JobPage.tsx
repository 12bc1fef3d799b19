import { Card, CardBody, DescriptionList, Stack, StackItem } from "@patternfly/react-core";
import { Link, useParams } from "wouter";

import { Fact } from "../../components/Fact";
import { PageTitle } from "../../components/PageTitle";
import { Time } from "../../components/Time";
import { JobStateLabel } from "../../jobs/JobStateLabel";
import { JobView } from "../../jobs/JobView";
import { useJob } from "../../jobs/useJob";
import { kindText } from "../../jobs/words";

export default function JobPage() {
  const { id } = useParams<{ id: string }>();
  const { job, problem } = useJob(id);
  return (
    <Stack hasGutter>
      <StackItem>
        <Link href="/jobs">Jobs</Link>
        <PageTitle title={job ? kindText(job.kind) : "Job"} help="Jobs" />
      </StackItem>
      {job && (
        <StackItem>
          <DescriptionList isHorizontal isCompact>
            <Fact term="State">
              <JobStateLabel state={job.state} />
            </Fact>
            <Fact term="Started by">{job.actor}</Fact>
            <Fact term="Asked for">
              <Time at={job.created_at} />
            </Fact>
            {job.ended_at && (
              <Fact term="Ended">
                <Time at={job.ended_at} />
              </Fact>
            )}
            <Fact term="Identifier">
              <span className="hapair-mono">{job.id}</span>
            </Fact>
          </DescriptionList>
        </StackItem>
      )}
      <StackItem>
        <Card>
          <CardBody>
            <JobView job={job} problem={problem} />
          </CardBody>
        </Card>
      </StackItem>
    </Stack>
  );
}
