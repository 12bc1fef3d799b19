/** A dialogue with a small form: closes by itself when what it does has succeeded. */

import { Button, Form, ModalBody, ModalFooter, ModalHeader, ModalVariant } from "@patternfly/react-core";
import type { ReactNode, SyntheticEvent } from "react";

import type { Action } from "../lib/useAction";
import { Dialog } from "./Dialog";
import { ProblemAlert } from "./ProblemAlert";

interface Props {
  title: string;
  description?: string;
  button: string;
  ready: boolean;
  action: Action;
  onSubmit: () => void;
  onClose: () => void;
  children: ReactNode;
}

export function FormDialog({ title, description, button, ready, action, onSubmit, onClose, children }: Props) {
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (ready && !action.running) onSubmit();
  };
  return (
    <Dialog variant={ModalVariant.small} onClose={onClose} aria-labelledby="form-dialog">
      <ModalHeader labelId="form-dialog" title={title} description={description} />
      <ModalBody tabIndex={0}>
        <Form id="dialog-form" onSubmit={submit}>
          <ProblemAlert problem={action.problem} />
          {children}
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form="dialog-form" isAriaDisabled={!ready || action.running} isLoading={action.running}>
          {button}
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Dialog>
  );
}
