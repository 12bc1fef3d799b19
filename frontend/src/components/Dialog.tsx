/** A dialogue over the page. When it closes, the keyboard is back in the page, where it was before. */

import { Modal, type ModalProps } from "@patternfly/react-core";

import { useWayBack } from "../lib/focus";

function WayBack() {
  useWayBack();
  return null;
}

export function Dialog({ children, ...given }: Omit<ModalProps, "ref">) {
  return (
    <Modal isOpen {...given}>
      <WayBack />
      {children}
    </Modal>
  );
}
