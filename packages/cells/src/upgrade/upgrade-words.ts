/**
 * What a node and a guest say to each other when the guest's code is exchanged (docs/spec/upgrade.md).
 *
 * UW1. A message or answer is one line of JSON and then bytes, which are the guest's own: a node passes them on and never reads them.
 * UW2. An answer that does not have the form is a refusal; nothing is guessed.
 */
import { decodeUtf8, encodeUtf8 } from "@glia-os/kernel/guests";

/** The export by which a module says that it answers these messages. A module with the grant `service/agents` answers them anyway. */
export const UPGRADE_EXPORT = "glia_upgrade";
/** Most parts of a state: with parts of just under 1 MiB, 64 MiB. */
export const STATE_PARTS_MAX = 64;
/** Longest line in bytes. */
const LINE_BYTES_MAX = 65_536;
const NAME_CHARS_MAX = 64;
const WHY_CHARS_MAX = 1000;
const NEWLINE = 10;
const EMPTY: Uint8Array = new Uint8Array();

/** Which code an agent runs, as the code itself says. */
export interface CodeVersion {
  readonly name: string;
  readonly version: number;
}

/** What old code answers. */
export type HandOver =
  | { readonly kind: "part"; readonly parts: number; readonly code: CodeVersion; readonly bytes: Uint8Array }
  /** A handler is under way: ask again. */
  | { readonly kind: "busy" }
  | { readonly kind: "refused"; readonly why: string; readonly code: string | undefined };

/** What new code answers. */
export type TakeOver =
  /** Give the next part. */
  | { readonly kind: "more" }
  | { readonly kind: "taken"; readonly code: CodeVersion }
  | { readonly kind: "refused"; readonly why: string; readonly code: string | undefined };

/** Ask old code for a part of its state, from 0. */
export function askHandOver(part: number): Uint8Array {
  return encodeUtf8(JSON.stringify({ host: "hand-over", part }));
}

/** Give new code a part. */
export function giveTakeOver(part: number, parts: number, bytes: Uint8Array): Uint8Array {
  const line = encodeUtf8(`${JSON.stringify({ host: "take-over", part, parts })}\n`);
  const message = new Uint8Array(line.length + bytes.length);
  message.set(line);
  message.set(bytes, line.length);
  return message;
}

/** Ask an agent that is in the middle of a message to begin no other, and let it begin again. */
export function holdMessage(host: "hold" | "go"): Uint8Array {
  return encodeUtf8(JSON.stringify({ host }));
}

/** What old code said (UW2). */
export function readHandOver(answer: Uint8Array): HandOver {
  const { fields, bytes } = split(answer);
  const refused = refusalIn(fields);
  if (refused !== undefined) return refused;
  if (fields["busy"] === true) return { kind: "busy" };
  const parts = wholeIn(fields["parts"], STATE_PARTS_MAX);
  const code = codeIn(fields);
  if (parts === undefined || code === undefined) return UNREADABLE;
  return { kind: "part", parts, code, bytes };
}

/** What new code said (UW2). */
export function readTakeOver(answer: Uint8Array): TakeOver {
  const { fields } = split(answer);
  const refused = refusalIn(fields);
  if (refused !== undefined) return refused;
  if (fields["more"] === true) return { kind: "more" };
  const code = codeIn(fields);
  return fields["taken"] === true && code !== undefined ? { kind: "taken", code } : UNREADABLE;
}

type Fields = Readonly<Record<string, unknown>>;
type Refusal = Extract<HandOver, { kind: "refused" }>;

const UNREADABLE: Refusal = {
  kind: "refused",
  why: "its answer is none of docs/spec/upgrade.md",
  code: undefined,
};

function split(answer: Uint8Array): { readonly fields: Fields; readonly bytes: Uint8Array } {
  const end = answer.indexOf(NEWLINE);
  const line = end === -1 ? answer : answer.subarray(0, end);
  const fields = line.length > LINE_BYTES_MAX ? undefined : jsonOf(line);
  const bytes = end === -1 ? EMPTY : answer.slice(end + 1);
  return { fields: typeof fields === "object" && fields !== null ? (fields as Fields) : {}, bytes };
}

function jsonOf(line: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(line) ?? "") as unknown;
  } catch {
    return undefined;
  }
}

function refusalIn({ error }: Fields): Refusal | undefined {
  if (error === undefined) return undefined;
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  const why = typeof message === "string" ? message.slice(0, WHY_CHARS_MAX) : "it does not say why";
  return { kind: "refused", why, code: typeof code === "string" ? code.slice(0, NAME_CHARS_MAX) : undefined };
}

function codeIn({ name, version }: Fields): CodeVersion | undefined {
  const number = wholeIn(version, Number.MAX_SAFE_INTEGER);
  if (number === undefined || typeof name !== "string") return undefined;
  return name === "" || name.length > NAME_CHARS_MAX ? undefined : { name, version: number };
}

function wholeIn(value: unknown, most: number): number | undefined {
  const fits = typeof value === "number" && Number.isSafeInteger(value) && value >= 1 && value <= most;
  return fits ? value : undefined;
}
