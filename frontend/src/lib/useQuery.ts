/** The filters of a page live in its address, so that what is seen can be linked to. */

import { useCallback, useMemo } from "react";
import { useLocation, useSearch } from "wouter";

export interface Query {
  value: (name: string) => string;
  /** The changed parameters replace the old ones; an empty one is left out. */
  change: (changes: Record<string, string>) => void;
  /** The parameters as they stand in the address. */
  text: string;
}

export function useQuery(): Query {
  const text = useSearch();
  const [path, navigate] = useLocation();
  const parameters = useMemo(() => new URLSearchParams(text), [text]);

  const change = useCallback(
    (changes: Record<string, string>) => {
      const changed = new URLSearchParams(text);
      for (const [name, value] of Object.entries(changes)) {
        if (value === "") changed.delete(name);
        else changed.set(name, value);
      }
      const query = changed.toString();
      navigate(query === "" ? path : `${path}?${query}`);
    },
    [text, path, navigate],
  );

  return { value: (name) => parameters.get(name) ?? "", change, text };
}
