/** What was typed over the webhook's settings. */

import type { WebhookShown } from "../../api/model";

export interface Typed {
  url?: string;
  /** Left out, the kept one stays. */
  secret?: string;
  authority?: string;
}

export function shown(webhook: WebhookShown | null, typed: Typed): { url: string; authority: string } {
  return {
    url: typed.url ?? webhook?.url ?? "",
    authority: typed.authority ?? webhook?.authority ?? "",
  };
}
