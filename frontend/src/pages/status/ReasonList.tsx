import { List, ListItem } from "@patternfly/react-core";

import type { Reason } from "../../api/model";

export function ReasonList({ reasons, label }: { reasons: Reason[]; label: string }) {
  return (
    <List isPlain aria-label={label}>
      {reasons.map((reason, index) => (
        <ListItem key={`${reason.code} ${index}`}>{reason.text}</ListItem>
      ))}
    </List>
  );
}
