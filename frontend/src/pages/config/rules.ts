/**
 * What a field's value breaks, said while it is typed. The rules come from the server's declaration of the field;
 * the server judges again on SAVE and knows more (its own addresses, its gateway, which fingerprints were used).
 */

import type { Field, Role, Value, Values } from "../../api/model";

const HOST_LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i;
const HOST_LABEL_LENGTH_MAX = 63;
const IPV4_PART = /^(0|[1-9]\d{0,2})$/;
const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/;
const VIRTUAL_ADDRESS = /^[0-9a-f:.]+\/\d{1,3}\s+(dev\s+)?[^\s/]{1,15}$/i;
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const WHOLE_NUMBER = /^-?\d+$/;
const SHELL = /^#!\s*(\/usr\/bin\/env\s+(-S\s+)?)?(\/[\w./-]*\/)?(bash|sh)(\s.*)?$/;
const PING_TARGETS = ["HAPingMonitor1", "HAPingMonitor2", "HAPingMonitor3"];

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => IPV4_PART.test(part) && Number(part) <= 255);
}

function isIpv6(text: string): boolean {
  if (!text.includes(":") || !/^[0-9a-f:.]+$/i.test(text)) return false;
  try {
    return new URL(`http://[${text}]/`).hostname !== "";
  } catch {
    return false;
  }
}

function isDomainName(text: string): boolean {
  const labels = text.replace(/\.$/, "").split(".");
  return (
    labels.length > 1 &&
    !/^\d+$/.test(labels.at(-1) ?? "") &&
    labels.every((label) => label.length <= HOST_LABEL_LENGTH_MAX && HOST_LABEL.test(label))
  );
}

function integerFault(field: Field, value: Value): string {
  const text = String(value).trim();
  const { minimum, maximum } = field;
  const bounds = minimum !== null && maximum !== null ? ` between ${minimum} and ${maximum}` : "";
  if (!WHOLE_NUMBER.test(text)) return `Must be an integer${bounds}.`;
  const number = Number(text);
  const outside = (minimum !== null && number < minimum) || (maximum !== null && number > maximum);
  return outside ? `Must be an integer${bounds}.` : "";
}

function scriptFault(field: Field, text: string): string {
  const size = new TextEncoder().encode(text).length;
  if (size > field.length_max) return `May have at most ${Math.floor(field.length_max / 1024)} KiB.`;
  const firstLine = text.split("\n", 1)[0] ?? "";
  if (firstLine.startsWith("#!") && !SHELL.test(firstLine.trimEnd())) {
    return "Must be a bash script: its first line names another interpreter.";
  }
  return "";
}

/** The sentence for a value by itself, empty where it is right. */
function ownFault(field: Field, value: Value): string {
  if (field.kind === "integer") return integerFault(field, value);
  if (field.kind === "boolean") return "";
  const text = String(value);
  if (field.kind === "script") return scriptFault(field, text);
  const trimmed = text.trim();
  if (trimmed === "") return "";
  if (trimmed.length > field.length_max) return `May have at most ${field.length_max} characters.`;
  if (field.kind === "address" && !isIpv4(trimmed) && !isIpv6(trimmed) && !isDomainName(trimmed)) {
    return "Must be a valid IP address or fully qualified domain name.";
  }
  if (field.kind === "virtual-address" && !VIRTUAL_ADDRESS.test(trimmed)) {
    return "Must be an address with its prefix length and interface, such as 10.77.1.50/24 dev eth0.";
  }
  if (field.kind === "fingerprint" && !FINGERPRINT.test(trimmed)) {
    return "Must be a value that the primary server has generated: SHA256: and 43 characters.";
  }
  if (field.kind === "email" && !EMAIL.test(trimmed)) return "Must be one valid e-mail address.";
  if (field.kind === "choice" && !field.choices.includes(trimmed)) return `Must be one of ${field.choices.join(", ")}.`;
  return "";
}

function same(one: Value | undefined, other: Value | undefined): boolean {
  const left = String(one ?? "").trim().toLowerCase();
  return left !== "" && left === String(other ?? "").trim().toLowerCase();
}

/** The sentence for a value beside the others. */
function crossFault(field: Field, values: Values): string {
  const value = values[field.name];
  if (field.name === "HAPeerAddress" && same(value, values.HAServerAddress)) {
    return "Must differ from HAServerAddress: it is the other server's.";
  }
  if (!PING_TARGETS.includes(field.name)) return "";
  for (const other of ["HAServerAddress", "HAPeerAddress"]) {
    if (same(value, values[other])) return `Must be different from ${other}.`;
  }
  const twin = PING_TARGETS.slice(0, PING_TARGETS.indexOf(field.name)).find((name) => same(value, values[name]));
  return twin ? `Must be unique: ${twin} has the same value.` : "";
}

export function roleOf(values: Values): Role {
  return values.HAServerRole as Role;
}

export function isUsed(field: Field, role: Role): boolean {
  return field.roles.includes(role);
}

/** Sentences by field name, for the fields that the drafted role uses. */
export function faults(fields: Field[], values: Values): Record<string, string> {
  const role = roleOf(values);
  const found: Record<string, string> = {};
  for (const field of fields.filter((each) => isUsed(each, role))) {
    const value = values[field.name] ?? field.default;
    const missing = field.required && value === "" ? `A ${role} server needs a value here.` : "";
    const sentence = missing || ownFault(field, value) || crossFault(field, values);
    if (sentence) found[field.name] = sentence;
  }
  return found;
}

/** The values as the API takes them: whole numbers as numbers, text without blanks around it. */
export function asSent(fields: Field[], values: Values): Values {
  const sent: Values = {};
  for (const field of fields) {
    const value = values[field.name] ?? field.default;
    if (typeof value !== "string" || field.kind === "script") sent[field.name] = value;
    else if (field.kind === "integer" && WHOLE_NUMBER.test(value.trim())) sent[field.name] = Number(value);
    else sent[field.name] = value.trim();
  }
  return sent;
}
