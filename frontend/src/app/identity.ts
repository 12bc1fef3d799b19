/** Title and icon of the browser tab say which server this is and how the pair is. */

import { useEffect } from "react";

import type { Status } from "../api/model";
import { ROLE_TONE, STATUS, TONE_COLOUR } from "../lib/words";

/** A disc in the role's colour inside a ring in the status's colour. */
function iconOf(disc: string, ring: string): string {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">' +
    `<circle cx="16" cy="16" r="13" fill="${disc}" stroke="${ring}" stroke-width="6"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

export function useIdentityInTab(status: Status | null, page: string, lost: boolean): void {
  const hostname = status?.node.hostname;
  const role = status?.node.role;
  const word = lost ? "not answering" : status?.status;

  useEffect(() => {
    document.title = [page, hostname, role, word].filter(Boolean).join(" · ") || "hapair";
    const icon = document.getElementById("favicon");
    if (!icon) return;
    const disc = role ? TONE_COLOUR[ROLE_TONE[role]] : TONE_COLOUR.grey;
    const ring = lost || !status ? TONE_COLOUR.grey : TONE_COLOUR[STATUS[status.status].tone];
    icon.setAttribute("href", iconOf(disc, ring));
  }, [hostname, role, word, page, lost, status]);
}
