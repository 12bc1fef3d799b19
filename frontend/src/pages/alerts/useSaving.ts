/** Saves or forgets settings of one kind. Where somebody else was faster, theirs are loaded and what was typed stays. */

import { type Answer, request } from "../../api/client";
import type { AlertSettings } from "../../api/model";
import { Problem } from "../../api/problem";
import { type Action, useAction } from "../../lib/useAction";

const STALE = 412;

interface Outcomes {
  onSaved: (settings: Answer<AlertSettings>) => void;
  onStale: () => void;
  onDone: () => void;
}

export interface Saving {
  action: Action;
  save: (settings: unknown) => void;
  forget: () => void;
}

export function useSaving(path: string, etag: string | null, { onSaved, onStale, onDone }: Outcomes): Saving {
  const action = useAction();
  const send = (method: "PUT" | "DELETE", body?: unknown) => {
    void action.run(async () => {
      try {
        onSaved(await request<AlertSettings>(method, path, { body, etag }));
        onDone();
      } catch (error) {
        if (error instanceof Problem && error.status === STALE) onStale();
        throw error;
      }
    });
  };
  return {
    action,
    save: (settings) => {
      send("PUT", settings);
    },
    forget: () => {
      send("DELETE");
    },
  };
}
