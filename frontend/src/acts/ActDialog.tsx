/** One act: what will happen, the checks, a typed word where it can't be undone, and the button that does it. */

import { Button, Content, Form, ModalBody, ModalFooter, ModalHeader, ModalVariant } from "@patternfly/react-core";
import { type SyntheticEvent, useState } from "react";

import type { Check } from "../api/model";
import { Dialog } from "../components/Dialog";
import { Loading } from "../components/Loading";
import { ProblemAlert } from "../components/ProblemAlert";
import { useAction } from "../lib/useAction";
import { useResource } from "../lib/useResource";
import { CheckList } from "./CheckList";
import { TypedWord } from "./TypedWord";

export interface ActSpec {
  title: string;
  explanation: string;
  button: string;
  danger?: boolean;
  /** To be typed first. */
  word?: string;
  /** What is checked before; the server checks again when the act begins. */
  check?: () => Promise<Check[]>;
  /** Throws Problem. */
  act: () => Promise<void>;
}

interface Props {
  spec: ActSpec;
  onClose: () => void;
}

const NO_CHECKS = () => Promise.resolve<Check[]>([]);

export function ActDialog({ spec, onClose }: Props) {
  const checks = useResource(spec.title, spec.check ?? NO_CHECKS);
  const action = useAction();
  const [typed, setTyped] = useState("");
  const failed = checks.value?.some((check) => check.result === "fail") ?? true;
  const confirmed = spec.word === undefined || typed === spec.word;
  const ready = !checks.loading && !failed && confirmed && !action.running;

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (ready) void action.run(spec.act);
  };

  return (
    <Dialog variant={ModalVariant.medium} onClose={onClose} aria-labelledby="act-title">
      <ModalHeader labelId="act-title" title={spec.title} titleIconVariant={spec.danger ? "warning" : undefined} />
      <ModalBody tabIndex={0}>
        <Form id="act-form" onSubmit={submit}>
          <Content component="p" data-testid="act-explanation">
            {spec.explanation}
          </Content>
          {checks.loading && spec.check && <Loading what="the checks" />}
          {!checks.loading && <ProblemAlert problem={checks.problem} onRetry={checks.reload} />}
          {!checks.loading && checks.value && checks.value.length > 0 && <CheckList checks={checks.value} />}
          {spec.word !== undefined && !checks.loading && !failed && (
            <TypedWord word={spec.word} typed={typed} onChange={setTyped} />
          )}
          <ProblemAlert problem={action.problem} />
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button
          type="submit"
          form="act-form"
          variant={spec.danger ? "danger" : "primary"}
          isAriaDisabled={!ready}
          isLoading={action.running}
        >
          {spec.button}
        </Button>
        {spec.check && (
          <Button variant="secondary" onClick={checks.reload} isDisabled={checks.loading}>
            Check again
          </Button>
        )}
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Dialog>
  );
}
