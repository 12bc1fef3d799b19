/** What an administrator can do to a user, each with what will happen. */

import type { ActSpec } from "../../acts/ActDialog";
import { request } from "../../api/client";
import type { User } from "../../api/model";

function pathOf(user: User): string {
  return `/users/${encodeURIComponent(user.name)}`;
}

function changeRole(user: User, onDone: () => void): ActSpec {
  const role = user.role === "auditor" ? "administrator" : "auditor";
  return {
    title: `Make ${user.name} ${role}`,
    explanation:
      role === "auditor"
        ? `${user.name} will see the status and the logs and change nothing. All their sessions end.`
        : `${user.name} may then change everything, as you may. All their sessions end.`,
    button: `Make ${role}`,
    danger: role === "administrator",
    act: async () => {
      await request("PUT", `${pathOf(user)}/role`, { body: { role } });
      onDone();
    },
  };
}

function endSessions(user: User, onDone: () => void): ActSpec {
  return {
    title: `End all sessions of ${user.name}`,
    explanation: `Whoever is logged in as ${user.name}, on either server, has to log in again.`,
    button: "End all sessions",
    act: async () => {
      await request("DELETE", `${pathOf(user)}/sessions`);
      onDone();
    },
  };
}

function dropFactor(user: User, onDone: () => void): ActSpec {
  return {
    title: `Take the second factor of ${user.name} away`,
    explanation: `Their password alone lets ${user.name} in, until they set up another one. For a lost phone without recovery codes.`,
    button: "Take it away",
    danger: true,
    act: async () => {
      await request("DELETE", `${pathOf(user)}/totp`);
      onDone();
    },
  };
}

function remove(user: User, onDone: () => void): ActSpec {
  return {
    title: `Remove ${user.name}`,
    explanation: `${user.name} can't log in any more, on both servers. What they did stays in the activity log.`,
    button: "Remove",
    danger: true,
    word: user.name,
    act: async () => {
      await request("DELETE", pathOf(user));
      onDone();
    },
  };
}

export function userActs(user: User, onDone: () => void): { label: string; spec: ActSpec }[] {
  const acts = [
    { label: user.role === "auditor" ? "Make administrator…" : "Make auditor…", spec: changeRole(user, onDone) },
    { label: "End sessions…", spec: endSessions(user, onDone) },
  ];
  if (user.totp) acts.push({ label: "Take second factor away…", spec: dropFactor(user, onDone) });
  return [...acts, { label: "Remove…", spec: remove(user, onDone) }];
}
