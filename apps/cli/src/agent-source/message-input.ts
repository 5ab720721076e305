/** What a person writes as the input of a message of an agent, and how long the answer may take. */
import { isPriority, type MessagePriority } from "@glia-os/cells/agent";
import { UsageError } from "../errors.ts";

/** JSON; nothing is no input. A word that is no JSON is refused with the way to write it as text. @throws {UsageError} */
export function messageInput(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new UsageError(
      `${JSON.stringify(text.slice(0, 80))} is not JSON`,
      `Write text with quotation marks of its own: '${JSON.stringify(text.slice(0, 40))}'.`,
    );
  }
}

/** Seconds, 1 to 3600, as milliseconds. @throws {UsageError} */
export function timeoutOf(seconds: string): number {
  const value = /^\d{1,5}$/.test(seconds) ? Number(seconds) : 0;
  if (value >= 1 && value <= 3600) return value * 1000;
  throw new UsageError(`--timeout ${seconds.slice(0, 40)} is out of range`, "Give 1 to 3600 seconds.");
}

/** What `--priority` says. @throws {UsageError} */
export function priorityOf(text: string | undefined): MessagePriority | undefined {
  if (text === undefined || isPriority(text)) return text;
  throw new UsageError(`--priority ${text.slice(0, 40)} is unknown`, "Give high, normal or low.");
}
