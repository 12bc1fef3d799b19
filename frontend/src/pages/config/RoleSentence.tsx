/** What APPLY will do with the chosen role, said before anything is pressed. */

import { Alert } from "@patternfly/react-core";

import type { Role, Transition } from "../../api/model";

interface Props {
  transitions: Transition[];
  applied: Role;
  drafted: Role;
}

export function RoleSentence({ transitions, applied, drafted }: Props) {
  if (applied === drafted) return null;
  const row = transitions.find((each) => each.applied === applied && each.drafted === drafted);
  if (!row) {
    return (
      <Alert component="p"
        className="hapair-role-sentence"
        variant="warning"
        isInline
        isPlain
        title={`A ${applied} server can't be made ${drafted} in one step. Set the role to standalone and APPLY that first.`}
      />
    );
  }
  return (
    <Alert
      component="p"
      className="hapair-role-sentence"
      variant="info"
      isInline
      isPlain
      title={row.sentence}
      data-testid="role-sentence"
    />
  );
}
