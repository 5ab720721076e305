/**
 * Both ends of an upgrade inside a guest (docs/spec/upgrade.md): old code hands its agent over, new code takes it over.
 *
 * CE1. Handing over changes nothing but that the agent begins no message for {@link HOLD_MS}: then it goes on as if nobody had asked.
 * CE2. New code begins no message before its node says `go`: until then it may be thrown away.
 * CE3. Old code that is asked to hold begins again by itself {@link HOLD_MS} after it was asked last.
 */
import {
  type AgentProcess,
  type AnyAgent,
  type PackedProcess,
  packedText,
  recordOf,
  unpackedProcess,
} from "@glia-os/cells/agent";
import { GuestError } from "./errors.ts";
import { actsWaiting } from "./outgoing.ts";
import { clearTimer, setTimer } from "./timers.ts";

/** How long a held agent begins nothing. */
export const HOLD_MS = 1000;
/** Characters of a part: below 1 MiB as UTF-8, whatever they are. */
const PART_UNITS = 300_000;
/** As `STATE_PARTS_MAX` of the node. */
const PARTS_MAX = 64;
const BUSY = '{"busy":true}';
const MORE = '{"more":true}';

/** A part of a state on its way in. */
export interface GivenPart {
  readonly part: number;
  readonly parts: number;
  readonly text: string;
}

/** One guest's. */
export class CodeExchange {
  #handed: readonly string[] = [];
  #code = "";
  #given: string[] = [];
  #letGo: number | undefined;

  /** The answer to who asks for a part; `overflow` waits behind the agent's mail. */
  handOver(
    part: number,
    process: AgentProcess | undefined,
    overflow: readonly PackedProcess["mail"][number][],
  ): string {
    try {
      if (part === 0) {
        const packed = actsWaiting() > 0 ? undefined : process?.packed();
        if (packed === undefined) return BUSY;
        const { name, version } = packed;
        this.#handed = inParts(packedText({ ...packed, mail: [...packed.mail, ...overflow] }));
        this.#code = JSON.stringify({ parts: this.#handed.length, name, version });
        this.hold(process); // All parts are of one state, and nothing happens between them.
      }
      const text = this.#handed[part];
      if (text === undefined) throw new GuestError("bad-argument", `there is no part ${part} of the state`);
      return `${this.#code}\n${text}`;
    } catch (error) {
      return refusal(error);
    }
  }

  /** The answer to who gives a part; `resume` makes the agent of all of them. */
  takeOver({ part, parts, text }: GivenPart, resume: (packed: PackedProcess) => AgentProcess): string {
    try {
      if (part === 0) this.#given = [];
      if (part !== this.#given.length) throw new GuestError("bad-argument", `part ${part} is out of order`);
      this.#given.push(text);
      if (this.#given.length < parts) return MORE;
      const packed = unpackedProcess(this.#given.join(""));
      this.#given = [];
      const { name, version } = resume(packed).definition;
      return JSON.stringify({ taken: true, name, version });
    } catch (error) {
      return refusal(error);
    }
  }

  /** CE3. */
  hold(process: AgentProcess | undefined): void {
    clearTimer(this.#letGo);
    process?.hold(true);
    this.#letGo = setTimer(() => process?.hold(false), HOLD_MS, false);
  }

  /** It goes on. */
  go(process: AgentProcess | undefined): void {
    clearTimer(this.#letGo);
    process?.hold(false);
  }
}

/** The newest definition of a name. @throws {GuestError} */
export function definitionNamed(name: string, definitions: Iterable<AnyAgent>): AnyAgent {
  let newest: AnyAgent | undefined;
  const there = new Set<string>();
  for (const each of definitions) {
    there.add(each.name);
    if (each.name === name && each.version > (newest?.version ?? 0)) newest = each;
  }
  if (newest !== undefined) return newest;
  throw new GuestError(
    "bad-argument",
    `it defines no agent ${name}, only ${[...there].slice(0, 16).join(", ") || "none"}`,
  );
}

function inParts(text: string): readonly string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    let end = Math.min(text.length, at + PART_UNITS);
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last < 0xdc00) end--; // Both halves of a character in one part.
    parts.push(text.slice(at, end));
    at = end;
  }
  if (parts.length <= PARTS_MAX) return parts;
  throw new GuestError(
    "bad-argument",
    `the state has ${text.length} characters, more than ${PARTS_MAX * PART_UNITS}`,
  );
}

function refusal(error: unknown): string {
  return JSON.stringify({ error: recordOf(error, "upgrade") });
}
