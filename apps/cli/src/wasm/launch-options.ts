/** Options of the commands that run a guest, from texts to what the thread takes. */
import type { EngineLimits } from "@glia-os/abi/ports";
import { LAUNCH_LIMITS, LIMIT_RANGES, type ModuleReport, type Profile, type WasiLaunch } from "@glia-os/wasm";
import type { Context } from "../context.ts";
import { unlessInterrupted } from "../context.ts";
import { GuestInputError, reasonOf, UsageError } from "../errors.ts";
import { readAll, readBounded } from "../node/first-line.ts";

/** Options as texts. */
export interface RunTexts {
  readonly profile?: string;
  readonly fuel?: string;
  readonly memory?: string;
  readonly stdin?: string;
  readonly env?: readonly string[];
  readonly file?: readonly string[];
  readonly seed?: string;
}

/** Most bytes a guest of the command line may write. */
const OUTPUT_BYTES = 64 * 1024 * 1024;
const NEWLINE = 0x0a;

/** The limits asked for. @throws UsageError */
export function limitsOf({ fuel, memory }: RunTexts): Partial<EngineLimits> {
  return {
    ...(fuel === undefined ? {} : { fuel: wholeOption("--fuel", fuel, LIMIT_RANGES.fuel[1]) }),
    ...(memory === undefined
      ? {}
      : { memoryPages: wholeOption("--memory", memory, LIMIT_RANGES.memoryPages[1]) }),
  };
}

/** A whole number from 1. @throws UsageError */
export function wholeOption(name: string, text: string, most: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= most) return value;
  throw new UsageError(
    `${name} ${text.slice(0, 40)} is out of range`,
    `Give a whole number from 1 to ${most}.`,
  );
}

/** Input as the guest takes it: lines as messages when it receives messages, else standard input. */
export interface GuestInput {
  readonly messages: readonly Uint8Array[];
  readonly stdin: Uint8Array;
}

/** Read the input the module can use; nothing is read for one that reads nothing. @throws GuestInputError */
export async function inputOf(
  report: ModuleReport,
  from: string | undefined,
  context: Context,
): Promise<GuestInput> {
  const imports = (module: string, name: string): boolean =>
    report.imports.some((one) => one.module === module && one.name.startsWith(name));
  const receives = imports("glia.v1", "receive");
  const none = { messages: [], stdin: new Uint8Array() };
  if (!receives && !imports("wasi_snapshot_preview1", "fd_read")) return none;
  if (from === undefined && context.stdin.isTTY) return none;
  const bytes = await readInput(from ?? "-", context);
  return receives ? { messages: linesOf(bytes), stdin: new Uint8Array() } : { messages: [], stdin: bytes };
}

async function readInput(from: string, context: Context): Promise<Uint8Array> {
  const limit = LAUNCH_LIMITS.stdinBytes;
  if (from !== "-") return readHostFile(from, limit);
  const bytes = await unlessInterrupted(context, readAll(context.stdin, limit));
  if (bytes === undefined) throw new GuestInputError("standard input", `it is longer than ${limit} bytes`);
  return bytes;
}

function readHostFile(path: string, limit: number): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readBounded(path, limit);
  } catch (cause) {
    throw new GuestInputError(path, reasonOf(cause), cause);
  }
  if (bytes.length > limit) throw new GuestInputError(path, `it is longer than ${limit} bytes`);
  return bytes;
}

/** Lines without their ends; a last line without an end counts, an empty rest does not. */
function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, from);
    lines.push(bytes.slice(from, end < 0 ? bytes.length : end));
    from = end < 0 ? bytes.length : end + 1;
  }
  return lines;
}

/** What a WASI guest starts with. @throws UsageError, GuestInputError */
export function launchOf(
  name: string,
  args: readonly string[],
  texts: RunTexts,
  stdin: Uint8Array,
): WasiLaunch {
  const env = (texts.env ?? []).map((text) => pairOf("--env", text));
  const files = (texts.file ?? []).map((text): [string, Uint8Array] => {
    const [path, from] = pairOf("--file", text);
    return [path, readHostFile(from, LAUNCH_LIMITS.fileBytes)];
  });
  return {
    args: [name, ...args],
    env: Object.fromEntries(env),
    files: Object.fromEntries(files),
    stdin,
    outputBytes: OUTPUT_BYTES,
    ...(texts.seed === undefined ? {} : { seed: new TextEncoder().encode(texts.seed) }),
  };
}

function pairOf(option: string, text: string): [string, string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new UsageError(`${option} ${text.slice(0, 40)} has no name`, `Write ${option} NAME=VALUE.`);
}

/** The profile asked for; commander has checked the choice. */
export function profileOf({ profile }: RunTexts): Profile {
  return (profile ?? "preemptive") as Profile;
}
