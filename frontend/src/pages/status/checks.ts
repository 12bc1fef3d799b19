/** What the status says for and against an act, as a report before the button. The server checks again when it begins. */

import type { Check, Status } from "../../api/model";
import { plural } from "../../lib/format";

function check(id: string, good: boolean, otherwise: Check["result"], whenGood: string, whenNot: string): Check {
  return { id, result: good ? "pass" : otherwise, detail: good ? whenGood : whenNot };
}

export function swapChecks({ status, failover, files }: Status): Check[] {
  const left = files?.pending ?? 0;
  return [
    check("stable", status === "stable", "fail", "The pair is stable.", "The pair is not stable."),
    check(
      "standby", failover.ready, "fail",
      "The secondary has all data and can take over.", "The secondary can't take over now.",
    ),
    check(
      "files", left === 0, "warn",
      "All files are copied.", `${plural(left, "changed file", "changed files")} will be copied first.`,
    ),
  ];
}

export function takeoverChecks({ peer, failover }: Status): Check[] {
  const lost = failover.lost_bound;
  return [
    check(
      "peer-silent", !peer?.heard, "warn",
      "The other server is not heard.",
      "The other server is heard: swapping the roles on its console is the way without loss.",
    ),
    check("caught-up", failover.ready, "warn", "This server has all that it can know of.", "This server is not caught up."),
    { id: "loss", result: "warn", detail: `What could be lost: ${lost || "not known."}` },
  ];
}
