/** The form of the HA configuration: what the server has, what was typed since, and what was said when it was saved. */

import { useMemo, useState } from "react";

import { post, request } from "../../api/client";
import type { Config, Value, Values } from "../../api/model";
import { Problem } from "../../api/problem";
import { type Action, useAction } from "../../lib/useAction";
import { type Resource, useResource } from "../../lib/useResource";
import { asSent, faults } from "./rules";
import { type Edits, useEdits } from "./useEdits";

const PRECONDITION_FAILED = 412;

interface Loaded {
  config: Config;
  etag: string | null;
}

export interface ConfigEditor extends Omit<Edits, "forget"> {
  resource: Resource<Loaded>;
  config: Config | null;
  /** Sentences by field: the console's own, or else the server's answer to the last save. */
  errors: Record<string, string>;
  action: Action;
  /** What somebody else saved while this form was open. */
  conflict: Loaded | null;
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

/** What is wrong: the server's last word on a field, until the console has one of its own. */
function useErrors(config: Config | null, values: Values) {
  const [said, setSaid] = useState<Record<string, string[]>>({});
  const errors = useMemo(() => {
    const sentences = Object.entries(said).map(([name, parts]) => [name, parts.join(" ")]);
    return { ...(Object.fromEntries(sentences) as Record<string, string>), ...(config ? faults(config.fields, values) : {}) };
  }, [said, config, values]);
  const forget = (name: string) => {
    setSaid(({ [name]: _gone, ...others }) => others);
  };
  return { errors, setSaid, forget };
}

export function useConfigEditor(): ConfigEditor {
  const resource = useResource("/ha/config", load);
  const { value: loaded, set: setLoaded } = resource;
  const config = loaded?.config ?? null;
  const { forget: forgetEdits, ...edits } = useEdits(config);
  const { errors, setSaid, forget } = useErrors(config, edits.values);
  const [conflict, setConflict] = useState<Loaded | null>(null);
  const action = useAction();

  const change = (name: string, value: Value) => {
    forget(name);
    edits.change(name, value);
  };

  const undo = () => {
    forgetEdits();
    setSaid({});
    action.clear();
  };

  /** Runs a change of the draft; when somebody else was faster, shows what they saved and changes nothing. */
  const write = (method: "PUT" | "DELETE", body?: Values) =>
    action.run(async () => {
      try {
        await request(method, "/ha/config/draft", { body, etag: loaded?.etag });
        setLoaded(await load());
        forgetEdits();
        setSaid({});
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (error.status !== PRECONDITION_FAILED) {
          setSaid(error.errors);
          throw error;
        }
        setConflict(await load());
      }
    });

  const settle = () => {
    if (conflict) setLoaded(conflict);
    setConflict(null);
  };

  return {
    ...edits,
    resource,
    config,
    errors,
    action,
    conflict,
    change,
    undo,
    save: () => (config ? write("PUT", asSent(config.fields, edits.values)) : Promise.resolve()),
    discard: () => write("DELETE"),
    generate: () =>
      action.run(async () => {
        const { HAPeerFingerprint } = await post<{ HAPeerFingerprint: string }>("/ha/fingerprint");
        change("HAPeerFingerprint", HAPeerFingerprint);
      }),
    keepMine: settle,
    takeTheirs: () => {
      settle();
      undo();
    },
  };
}
