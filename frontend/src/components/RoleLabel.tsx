import { Label } from "@patternfly/react-core";

import type { Role } from "../api/model";
import { ROLE_TONE } from "../lib/words";

export function RoleLabel({ role }: { role: Role }) {
  return <Label color={ROLE_TONE[role]}>{role}</Label>;
}
