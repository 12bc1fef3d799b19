/** Over the page where the session ended: what was typed there is still there after the login. */

import { ModalBody, ModalHeader, ModalVariant } from "@patternfly/react-core";

import { useSession } from "../../app/session";
import { Dialog } from "../../components/Dialog";
import { LoginForm } from "./LoginForm";

export function SessionEnded() {
  const { state, session } = useSession();
  return (
    <Dialog
      isOpen={state === "ended"}
      variant={ModalVariant.small}
      aria-labelledby="session-ended"
      elementToFocus="#password"
    >
      <ModalHeader
        labelId="session-ended"
        title="Your session has ended"
        description="Log in again to go on. Nothing that you typed is lost."
      />
      <ModalBody>
        <LoginForm username={session?.username} />
      </ModalBody>
    </Dialog>
  );
}
