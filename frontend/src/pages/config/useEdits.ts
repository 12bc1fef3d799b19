/** What was typed over a configuration and not saved yet. */

import { useCallback, useMemo, useState } from "react";

import type { Config, Value, Values } from "../../api/model";

export interface Edits {
  /** What the fields show: applied, draft, and edits over them. */
  values: Values;
  edits: Values;
  isEdited: boolean;
  change: (name: string, value: Value) => void;
  forget: () => void;
}

export function useEdits(config: Config | null): Edits {
  const [edits, setEdits] = useState<Values>({});
  const base = useMemo<Values>(() => ({ ...config?.applied, ...config?.draft }), [config]);
  const values = useMemo(() => ({ ...base, ...edits }), [base, edits]);

  const change = useCallback(
    (name: string, value: Value) => {
      setEdits(({ [name]: _old, ...others }) => (value === base[name] ? others : { ...others, [name]: value }));
    },
    [base],
  );
  const forget = useCallback(() => {
    setEdits({});
  }, []);

  return { values, edits, isEdited: Object.keys(edits).length > 0, change, forget };
}
