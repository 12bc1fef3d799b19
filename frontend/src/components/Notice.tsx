/** What somebody has to read before going on: it is brought into view, with the keyboard, whenever it is new. */

import { type ReactNode, useEffect, useRef } from "react";

interface Props {
  /** What it is about; nothing is shown without. */
  of: unknown;
  children: ReactNode;
}

export function Notice({ of: about, children }: Props) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    place.current?.focus();
  }, [about]);
  if (!about) return null;
  return (
    <div ref={place} tabIndex={-1}>
      {children}
    </div>
  );
}
