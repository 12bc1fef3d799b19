import { Alert } from "@patternfly/react-core";
import { Link } from "wouter";

import { plural } from "../../lib/format";

export function RescuesNote({ count }: { count: number }) {
  return (
    <Alert
      component="p"
      variant="info"
      isInline
      data-testid="rescues"
      title={`${plural(count, "rescue is", "rescues are")} kept on this server.`}
    >
      They hold what may have no other copy. <Link href="/rescues">Look at them</Link>
    </Alert>
  );
}
