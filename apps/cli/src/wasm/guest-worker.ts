/** The thread a guest of `glia wasm run` runs in: the main thread stays free for Ctrl-C, and ends this one whatever it does. */
import { randomFillSync } from "node:crypto";
import { setTimeout as after } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { toErrorRecord } from "@glia-os/abi/errors";
import type { CallResult, GuestHost, PendingCall, StepOutcome } from "@glia-os/abi/ports";
import { GUEST_ERRORS, HOST_MODULE } from "@glia-os/abi/wire";
import { TENSOR_MODULE, tensorHostModule } from "@glia-os/tensor/guests";
import {
  createWasmEngine,
  decodeSnapshot,
  encodeSnapshot,
  WASI_MODULE,
  type WasmInstance,
  wasiPreview1,
} from "@glia-os/wasm";
import { type GuestEnd, type GuestNews, type GuestThreadData, MOST_UNSEEN } from "./guest-messages.ts";

/** Fuel of one step: some milliseconds. */
const SLICE = 5_000_000;

const { job, unseen } = workerData as GuestThreadData;
const waiting = new Int32Array(unseen);
let taken = 0;
let answered = true;

/** Send, after waiting until the main thread has shown enough of what was sent before. */
function tell(news: GuestNews): void {
  for (let held = Atomics.load(waiting, 0); held >= MOST_UNSEEN; held = Atomics.load(waiting, 0))
    Atomics.wait(waiting, 0, held);
  Atomics.add(waiting, 0, 1);
  parentPort?.postMessage(news);
}

const host: GuestHost = {
  log: (level, text) => tell({ kind: "log", level, text }),
  wallMs: () => Date.now(),
  random: (target) => void randomFillSync(target),
  output: (stream, bytes) => tell({ kind: "output", stream, bytes }),
  reply(bytes) {
    if (answered) return GUEST_ERRORS.E_STATE;
    answered = true;
    tell({ kind: "reply", bytes });
    return 0;
  },
};

/** The answer to a call; undefined for a message when there is none left. */
async function answerTo({ op, args }: PendingCall): Promise<CallResult | undefined> {
  if (op === "sleep") await sleep(args[0] ?? 0);
  if (op !== "receive" && op !== "receive_within") return { value: 0 };
  const message = job.messages[taken];
  if (message === undefined) {
    if (op === "receive") return undefined;
    await sleep(args[2] ?? 0);
    return { value: GUEST_ERRORS.E_TIMEOUT };
  }
  if (message.length > (args[1] ?? 0)) return { value: GUEST_ERRORS.E_TOO_BIG };
  taken += 1;
  answered = false;
  return { value: message.length, payload: message };
}

/** Timers take at most 2^31 - 1 ms. */
async function sleep(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 2_147_483_647) await after(Math.min(left, 2_147_483_647));
}

async function run(instance: WasmInstance): Promise<GuestEnd> {
  let result: CallResult | undefined;
  for (let outcome: StepOutcome | undefined; ; ) {
    if (outcome !== undefined || job.snapshot !== undefined) {
      if (job.stop?.fuel !== undefined && instance.fuelUsed >= job.stop.fuel) return stopped(instance);
      const { pending } = instance;
      result = pending === undefined ? undefined : await answerTo(pending);
      if (pending !== undefined && result === undefined)
        return job.stop === undefined ? { kind: "waiting" } : stopped(instance);
    }
    outcome = instance.step(result, sliceOf(instance));
    if (outcome.kind === "finished") return { kind: "finished", status: outcome.status };
    if (outcome.kind === "failed") return { kind: "failed", error: toErrorRecord(outcome.error) };
  }
}

/** Fuel until the next look at the clock of the run, or at the place to stop; undefined where a slice cannot be taken back. */
function sliceOf(instance: WasmInstance): number | undefined {
  if (!instance.preemptible) return undefined;
  return Math.max(1, Math.min(SLICE, (job.stop?.fuel ?? Number.MAX_SAFE_INTEGER) - instance.fuelUsed));
}

function stopped(instance: WasmInstance): GuestEnd {
  const snapshot = new Uint8Array(Buffer.concat([...encodeSnapshot(instance.snapshot())]));
  return { kind: "stopped", snapshot, at: instance.pending?.op ?? "a loop or call" };
}

async function main(): Promise<void> {
  const engine = createWasmEngine({ hostModules: [wasiPreview1(job.launch), tensorHostModule()] });
  const program = await engine.admit(job.module, [HOST_MODULE, WASI_MODULE, TENSOR_MODULE]);
  const instance =
    job.snapshot === undefined
      ? program.instantiate(job.limits, host)
      : program.restore(decodeSnapshot(job.snapshot), job.limits, host);
  const end = await run(instance);
  tell({ kind: "ended", end, fuelUsed: instance.fuelUsed, memoryBytes: instance.memoryBytes, taken });
}

try {
  await main();
} catch (error) {
  tell({
    kind: "ended",
    end: { kind: "failed", error: toErrorRecord(error) },
    fuelUsed: 0,
    memoryBytes: 0,
    taken,
  });
}
