/** A time in the reader's zone; the exact UTC shows on hover. */

import { localTime, utcTime } from "../lib/format";

export function Time({ at }: { at: string }) {
  return (
    <time dateTime={at} title={utcTime(at)}>
      {localTime(at)}
    </time>
  );
}
