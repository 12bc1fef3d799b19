/** Where the keyboard is after what had it has gone: never at the top of the page, far from where somebody worked. */

import { type RefObject, useEffect, useRef } from "react";

const DIALOG = '[role="dialog"]';

/** What had the focus last, outside of dialogues. */
let outside: HTMLElement | null = null;
/** A page that the browser has loaded begins where browsers begin; one that was opened from another, at its heading. */
let openedFromAnother = false;

/** From now on the place where the keyboard was before a dialogue is known. */
export function watchFocus(): void {
  document.addEventListener("focusin", ({ target }) => {
    if (target instanceof HTMLElement && !target.closest(DIALOG)) outside = target;
  });
}

function hasFocus(): boolean {
  return document.activeElement !== null && document.activeElement !== document.body;
}

/** After a dialogue: back to what opened it or, where that is gone or switched off, to the page's heading. */
function goBack(): void {
  if (hasFocus() || document.querySelector(DIALOG)) return;
  if (outside?.isConnected) outside.focus();
  if (!hasFocus()) document.querySelector("h1")?.focus();
}

/** For what a dialogue holds: the focus is in the page again when it closes. */
export function useWayBack(): void {
  useEffect(
    () => () => {
      // Not before the next dialogue of a row, if there is one, has taken its place.
      setTimeout(goBack);
    },
    [],
  );
}

/** For the heading of a page: the keyboard begins there when the page was opened from another one. */
export function useArrival(): RefObject<HTMLHeadingElement | null> {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (openedFromAnother) heading.current?.focus();
    openedFromAnother = true;
  }, []);
  return heading;
}
