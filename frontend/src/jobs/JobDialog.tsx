/** A job in a dialogue over the page that started it. Closing it does not stop the job. */

import { Button, ModalBody, ModalFooter, ModalHeader, ModalVariant } from "@patternfly/react-core";

import { Dialog } from "../components/Dialog";
import { JobView } from "./JobView";
import { useJob } from "./useJob";

interface Props {
  id: string | null;
  title: string;
  onClose: () => void;
  onRetry?: () => void;
}

function FollowedJob({ id, onRetry }: { id: string; onRetry?: () => void }) {
  const { job, problem } = useJob(id);
  return <JobView job={job} problem={problem} onRetry={onRetry} />;
}

export function JobDialog({ id, title, onClose, onRetry }: Props) {
  return (
    <Dialog isOpen={id !== null} variant={ModalVariant.medium} onClose={onClose} aria-labelledby="job-dialog">
      <ModalHeader labelId="job-dialog" title={title} />
      <ModalBody tabIndex={0}>{id !== null && <FollowedJob id={id} onRetry={onRetry} />}</ModalBody>
      <ModalFooter>
        <Button variant="secondary" onClick={onClose}>
          Close
        </Button>
      </ModalFooter>
    </Dialog>
  );
}
