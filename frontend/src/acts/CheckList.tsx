/** The report of the checks before a change: each line says what was found. */

import { Icon, List, ListItem } from "@patternfly/react-core";
import CheckCircleIcon from "@patternfly/react-icons/dist/esm/icons/check-circle-icon";
import ExclamationCircleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon";
import ExclamationTriangleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon";

import type { Check } from "../api/model";

const RESULT = {
  pass: { icon: <CheckCircleIcon />, status: "success", text: "passed" },
  warn: { icon: <ExclamationTriangleIcon />, status: "warning", text: "warning" },
  fail: { icon: <ExclamationCircleIcon />, status: "danger", text: "failed" },
} as const;

export function CheckList({ checks }: { checks: Check[] }) {
  return (
    <List isPlain aria-label="Checks">
      {checks.map((check) => {
        const { icon, status, text } = RESULT[check.result];
        return (
          <ListItem key={check.id} icon={<Icon status={status}>{icon}</Icon>} data-testid={`check-${check.id}`}>
            <span className="pf-v6-screen-reader">{text}: </span>
            {check.detail}
          </ListItem>
        );
      })}
    </List>
  );
}
