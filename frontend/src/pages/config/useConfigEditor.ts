/** The form of the HA configuration: what the server has, what was typed since, and what was said when it was saved. */

import { useCallback, useMemo, useState } from "react";

import { post, request } from "../../api/client";
import type { Config, Value, Values } from "../../api/model";
import { Problem } from "../../api/problem";
import { type Action, useAction } from "../../lib/useAction";
import { type Resource, useResource } from "../../lib/useResource";
import { asSent, faults } from "./rules";

const PRECONDITION_FAILED = 412;

interface Loaded {
  config: Config;
  etag: string | null;
}

export interface ConfigEditor {
  resource: Resource<Loaded>;
  config: Config | null;
  /** What the fields show. */
  values: Values;
  /** What was typed and not saved. */
  edits: Values;
  isEdited: boolean;
  /** Sentences by field: the console's own, or else the server's answer to the last save. */
  errors: Record<string, string>;
  action: Action;
  /** What somebody else saved while this form was open. */
  conflict: Loaded | null;
  change: (name: string, value: Value) => void;
  undo: () => void;
  save: () => Promise<void>;
  discard: () => Promise<void>;
  generate: () => Promise<void>;
  keepMine: () => void;
  takeTheirs: () => void;
}

async function load(signal?: AbortSignal): Promise<Loaded> {
  const { body, etag } = await request<Config>("GET", "/ha/config", { signal });
  return { config: body, etag };
}

function baseOf(config: Config): Values {
  return { ...config.applied, ...config.draft };
}

export function useConfigEditor(): ConfigEditor {
  const resource = useResource("/ha/config", load);
  const { value: loaded, set: setLoaded } = resource;
  const config = loaded?.config ?? null;
  const [edits, setEdits] = useState<Values>({});
  const [serverErrors, setServerErrors] = useState<Record<string, string[]>>({});
  const [conflict, setConflict] = useState<Loaded | null>(null);
  const action = useAction();

  const base = useMemo(() => (config ? baseOf(config) : {}), [config]);
  const values = useMemo(() => ({ ...base, ...edits }), [base, edits]);
  const errors = useMemo(() => {
    const said = Object.entries(serverErrors).map(([name, sentences]) => [name, sentences.join(" ")]);
    return { ...(Object.fromEntries(said) as Record<string, string>), ...(config ? faults(config.fields, values) : {}) };
  }, [serverErrors, config, values]);

  const change = useCallback(
    (name: string, value: Value) => {
      setServerErrors(({ [name]: _gone, ...others }) => others);
      setEdits((before) => {
        const { [name]: _old, ...others } = before;
        return value === base[name] ? others : { ...others, [name]: value };
      });
    },
    [base],
  );

  const undo = useCallback(() => {
    setEdits({});
    setServerErrors({});
    action.clear();
  }, [action]);

  /** Runs a change of the draft; when somebody else was faster, shows what they saved and changes nothing. */
  const write = (method: "PUT" | "DELETE", body?: Values) =>
    action.run(async () => {
      try {
        await request(method, "/ha/config/draft", { body, etag: loaded?.etag });
        setLoaded(await load());
        setEdits({});
        setServerErrors({});
      } catch (error) {
        if (error instanceof Problem && error.status === PRECONDITION_FAILED) setConflict(await load());
        else {
          if (error instanceof Problem) setServerErrors(error.errors);
          throw error;
        }
      }
    });

  return {
    resource,
    config,
    values,
    edits,
    isEdited: Object.keys(edits).length > 0,
    errors,
    action,
    conflict,
    change,
    undo,
    save: () => (config ? write("PUT", asSent(config.fields, values)) : Promise.resolve()),
    discard: () => write("DELETE"),
    generate: () =>
      action.run(async () => {
        const { HAPeerFingerprint } = await post<{ HAPeerFingerprint: string }>("/ha/fingerprint");
        change("HAPeerFingerprint", HAPeerFingerprint);
      }),
    keepMine: () => {
      if (conflict) setLoaded(conflict);
      setConflict(null);
    },
    takeTheirs: () => {
      if (conflict) setLoaded(conflict);
      setConflict(null);
      undo();
    },
  };
}
