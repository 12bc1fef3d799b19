/** What was typed over the mail settings, and what is sent of it. */

import { useState } from "react";

import type { MailInput, MailShown } from "../../api/model";

export type MailForm = ReturnType<typeof useMailForm>;

export function useMailForm(mail: MailShown) {
  const [typed, setTyped] = useState<Partial<Record<keyof MailInput, string>>>({});
  const text = (name: "host" | "sender" | "username" | "authority") => typed[name] ?? mail[name];
  const port = typed.port ?? String(mail.port);
  const security = (typed.security ?? mail.security) as MailShown["security"];
  const input = {
    host: text("host"),
    port: /^\d+$/.test(port) ? Number(port) : port,
    security,
    sender: text("sender"),
    username: text("username"),
    authority: text("authority"),
    // Left out, the kept password stays.
    ...(typed.password === undefined ? {} : { password: typed.password }),
  };
  return {
    text,
    port,
    security,
    password: typed.password ?? "",
    input,
    isEdited: Object.keys(typed).length > 0,
    type: (name: keyof MailInput) => (value: string) => {
      setTyped((before) => ({ ...before, [name]: value }));
    },
    reset: () => {
      setTyped({});
    },
  };
}
