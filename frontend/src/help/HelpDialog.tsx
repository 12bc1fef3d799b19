/** The help of a page in a dialogue. */

import { Button, Content, ModalBody, ModalFooter, ModalHeader, ModalVariant } from "@patternfly/react-core";

import { Dialog } from "../components/Dialog";
import { helpOf } from "./sections";

const MARKED = /(\*\*[^*]+\*\*|\*[^*]+\*|`[^`]+`)/;

/** Bold, emphasis and code as the documentation marks them; everything else as it stands. */
function Marked({ text }: { text: string }) {
  return text.split(MARKED).map((part, index) => {
    const key = `${index} ${part}`;
    if (part.startsWith("**")) return <strong key={key}>{part.slice(2, -2)}</strong>;
    if (part.startsWith("*") && part.length > 2) return <em key={key}>{part.slice(1, -1)}</em>;
    if (part.startsWith("`")) return <code key={key}>{part.slice(1, -1)}</code>;
    return part;
  });
}

export default function HelpDialog({ title, onClose }: { title: string; onClose: () => void }) {
  return (
    <Dialog variant={ModalVariant.medium} onClose={onClose} aria-labelledby="help-title">
      <ModalHeader labelId="help-title" title={`Help: ${title}`} />
      <ModalBody tabIndex={0}>
        <Content>
          {helpOf(title).map((block) =>
            block.kind === "list" ? (
              <ul key={block.items[0]}>
                {block.items.map((item) => (
                  <li key={item}>
                    <Marked text={item} />
                  </li>
                ))}
              </ul>
            ) : (
              <p key={block.text}>
                <Marked text={block.text} />
              </p>
            ),
          )}
        </Content>
      </ModalBody>
      <ModalFooter>
        <Button variant="secondary" onClick={onClose}>
          Close
        </Button>
      </ModalFooter>
    </Dialog>
  );
}
