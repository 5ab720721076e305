/** `glia wasm run`, `snapshot` and `restore`: one guest, from a module or a snapshot, to its end or to a snapshot. */
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { RemoteError } from "@glia-os/abi/errors";
import { inspectModule, LIMIT_RANGES } from "@glia-os/wasm";
import type { Context } from "../context.ts";
import {
  GuestEndedError,
  GuestStatusError,
  reasonOf,
  SnapshotUnreadableError,
  SnapshotUnwritableError,
  UsageError,
} from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { readBounded } from "../node/first-line.ts";
import type { GuestJob } from "./guest-messages.ts";
import { type Ended, runGuest } from "./guest-thread.ts";
import { inputOf, launchOf, limitsOf, profileOf, type RunTexts, wholeOption } from "./launch-options.ts";
import { type ReadyModule, readModule, readyModule } from "./module-file.ts";

/** Options of the commands that may stop at a snapshot. */
export interface StopTexts extends RunTexts {
  readonly out?: string;
  readonly after?: string;
  readonly module?: string;
}

/** The longest snapshot file these commands take. */
const SNAPSHOT_BYTES = 512 * 1024 * 1024;

/** `glia wasm run FILE`. */
export async function wasmRun(
  path: string,
  args: readonly string[],
  texts: RunTexts,
  context: Context,
): Promise<ExitCode> {
  const { ready, job } = await started(path, args, texts, context);
  return finish(await runGuest(job, context), ready, undefined, context);
}

/** `glia wasm snapshot FILE --out S`. */
export async function wasmSnapshot(
  path: string,
  args: readonly string[],
  texts: StopTexts,
  context: Context,
): Promise<ExitCode> {
  const fuel = stopFuel(texts);
  const { ready, job } = await started(path, args, texts, context);
  requirePreemptible(ready, fuel);
  const stop = fuel === undefined ? {} : { fuel };
  return finish(await runGuest({ ...job, stop }, context), ready, texts.out, context);
}

/** `glia wasm restore S`. */
export async function wasmRestore(path: string, texts: StopTexts, context: Context): Promise<ExitCode> {
  const fuel = stopFuel(texts);
  if (fuel !== undefined && texts.out === undefined)
    throw new UsageError("--after has no snapshot to write", "Give --out FILE too.");
  const limits = limitsOf(texts);
  const snapshot = readSnapshot(path);
  const bytes = readModule(texts.module ?? `${path}.wasm`);
  const ready = { bytes, report: inspectModule(bytes) };
  requireMetered(ready, texts);
  requirePreemptible(ready, fuel);
  // A WASI guest has its input in the snapshot; messages are given again.
  const receives = ready.report.imports.some(({ name }) => name.startsWith("receive"));
  const { messages } = receives ? await inputOf(ready.report, texts.stdin, context) : { messages: [] };
  const stop = texts.out === undefined ? undefined : fuel === undefined ? {} : { fuel };
  const job: GuestJob = {
    module: bytes,
    snapshot,
    launch: {},
    limits,
    messages,
    ...(stop === undefined ? {} : { stop }),
  };
  return finish(await runGuest(job, context), ready, texts.out, context);
}

async function started(
  path: string,
  args: readonly string[],
  texts: RunTexts,
  context: Context,
): Promise<{ readonly ready: ReadyModule; readonly job: GuestJob }> {
  const limits = limitsOf(texts);
  const ready = await readyModule(path, profileOf(texts), context);
  requireMetered(ready, texts);
  const { messages, stdin } = await inputOf(ready.report, texts.stdin, context);
  const launch = launchOf(basename(path), args, texts, stdin);
  return { ready, job: { module: ready.bytes, launch, limits, messages } };
}

function stopFuel({ after }: StopTexts): number | undefined {
  return after === undefined ? undefined : wholeOption("--after", after, LIMIT_RANGES.fuel[1]);
}

/** A limit that nothing counts towards is refused, not forgotten. */
function requireMetered({ bytes }: ReadyModule, { fuel }: RunTexts): void {
  const profile = inspectModule(bytes).instrumented?.profile ?? "none";
  if (fuel !== undefined && profile !== "metered" && profile !== "preemptive")
    throw new UsageError(
      `--fuel has no effect: the module has the profile ${profile}, which counts none`,
      "Give the module as its compiler made it, with --profile metered or preemptive.",
    );
}

function requirePreemptible({ bytes }: ReadyModule, fuel: number | undefined): void {
  const profile = inspectModule(bytes).instrumented?.profile;
  if (fuel !== undefined && profile !== "preemptive")
    throw new UsageError(
      `--after needs the profile preemptive, and the module has ${profile ?? "none"}`,
      "Leave --after out: the snapshot is then taken where the guest waits for a message and none is left.",
    );
}

function readSnapshot(path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readBounded(path, SNAPSHOT_BYTES);
  } catch (cause) {
    throw new SnapshotUnreadableError(path, reasonOf(cause), cause);
  }
  if (bytes.length > SNAPSHOT_BYTES)
    throw new SnapshotUnreadableError(path, `it is longer than ${SNAPSHOT_BYTES} bytes`);
  return bytes;
}

/** Report how a run ended; write the snapshot, and the module it needs beside it. */
function finish(
  { end, fuelUsed, memoryBytes, taken }: Ended,
  { bytes }: ReadyModule,
  out: string | undefined,
  { terminal }: Context,
): ExitCode {
  const facts = { fuelUsed, memoryBytes, messages: taken };
  if (end.kind === "failed") throw new RemoteError(end.error);
  if (end.kind === "stopped") {
    const path = out as string;
    writeFile(path, end.snapshot);
    writeFile(`${path}.wasm`, bytes);
    terminal.record({
      ok: true,
      ended: "stopped",
      at: end.at,
      snapshot: path,
      bytes: end.snapshot.length,
      ...facts,
    });
    if (!terminal.json)
      terminal.note(
        `stopped in ${end.at} at ${fuelUsed} fuel; wrote ${path} (${end.snapshot.length} bytes) and ${path}.wasm`,
      );
    return EXIT.ok;
  }
  if (end.kind === "finished" && end.status !== 0) throw new GuestStatusError(end.status, facts);
  if (out !== undefined) throw new GuestEndedError(facts);
  const status = end.kind === "finished" ? end.status : undefined;
  terminal.record({ ok: true, ended: end.kind, ...(status === undefined ? {} : { status }), ...facts });
  if (terminal.verbose)
    terminal.note(`${end.kind}; ${fuelUsed} fuel, ${memoryBytes} bytes of memory, ${taken} messages`);
  return EXIT.ok;
}

function writeFile(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes);
  } catch (cause) {
    throw new SnapshotUnwritableError(path, reasonOf(cause), cause);
  }
}
