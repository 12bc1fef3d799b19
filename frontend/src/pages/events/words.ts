/** Events in sentences; the parameters are those that the custom script gets. */

import type { EventEntry } from "../../api/model";

type Sentence = (first: string, second: string) => string;

const SENTENCE: Record<string, Sentence> = {
  Failover: (active, standby) => `Failover: ${active} took over from ${standby}.`,
  StandbyOffline: (standby, active) => `The secondary ${standby} went offline; ${active} goes on alone.`,
  StandbyOnline: (standby, active) => `The secondary ${standby} is back beside ${active}.`,
  ManualSwitch: (active, standby) => `Roles swapped: ${active} is the primary now, ${standby} the secondary.`,
  RaiseAlarm: (condition, message) => `Alarm: ${[condition, message].filter(Boolean).join(" – ")}`,
  ClearAlarm: (text) => `Alarm over: ${text}`,
  AlarmRaised: (_code, text) => `Alarm: ${text}`,
  AlarmCleared: (_code, text) => `Alarm over: ${text}`,
  Rescued: () => "Data that only this server had was rescued.",
};

export function eventText(event: EventEntry): string {
  // The script's first parameter is the kind of the event.
  const rest = event.parameters[0] === event.kind ? event.parameters.slice(1) : event.parameters;
  const [first = "", second = ""] = rest;
  return SENTENCE[event.kind]?.(first, second) ?? [event.kind, ...rest].join(" ");
}
