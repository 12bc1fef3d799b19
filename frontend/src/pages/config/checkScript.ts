/** What the server finds in a script, by bash and shellcheck. */

import { post } from "../../api/client";
import type { ScriptCheck } from "../../api/model";
import { asProblem } from "../../api/problem";

/** Nothing where the server can't say: SAVE checks again, and says why. */
export async function checkScript(script: string): Promise<ScriptCheck | null> {
  if (script.trim() === "") return null;
  try {
    return await post<ScriptCheck>("/ha/alerts/script/check", { script });
  } catch (error) {
    const { title, detail } = asProblem(error);
    return { ok: true, findings: [], shellcheck: "", notes: [`The script could not be checked: ${detail || title}`] };
  }
}
