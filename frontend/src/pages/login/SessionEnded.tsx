/** Over the page where the session ended: what was typed there is still there after the login. */

import { Modal, ModalBody, ModalHeader, ModalVariant } from "@patternfly/react-core";

import { useSession } from "../../app/session";
import { LoginForm } from "./LoginForm";

export function SessionEnded() {
  const { state, session } = useSession();
  return (
    <Modal isOpen={state === "ended"} variant={ModalVariant.small} aria-labelledby="session-ended">
      <ModalHeader
        labelId="session-ended"
        title="Your session has ended"
        description="Log in again to go on. Nothing that you typed is lost."
      />
      <ModalBody>
        <LoginForm username={session?.username} />
      </ModalBody>
    </Modal>
  );
}
