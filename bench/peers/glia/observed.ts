/** Workloads on kernels that are observed in one way or another, to be set beside the same on one that is not. */
import type { Clock } from "@glia-os/abi/ports";
import { createMemoryMeter } from "@glia-os/host";
import { createKernel, type Handle, type Kernel, type KernelOptions, type Program } from "@glia-os/kernel";
import { createSpanRecorder } from "@glia-os/kernel/observe";
import { SeededRandom } from "@glia-os/kernel/testing";
import type { Contestant } from "../../src/suite.ts";
import { finish } from "./workloads.ts";

const clock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
const BATCH = 1000;
const ROOMY = { capacity: 16_777_216, high: 16_777_216 };

function* ends() {}

/** Ways to make a kernel. */
export const KERNELS = {
  plain: () => kernel({}),
  metered: () => kernel({ meter: createMemoryMeter() }),
  measured: () => kernel({ meter: createMemoryMeter(), measure: true }),
  everyTurn: () => kernel({ meter: createMemoryMeter(), measure: { turnsPerReading: 1 } }),
  spans: () => kernel({ spans: createSpanRecorder({ clock, random: new SeededRandom(2) }) }),
  syscallSpans: () =>
    kernel({ spans: createSpanRecorder({ clock, random: new SeededRandom(2) }), syscallSpans: true }),
  /** What `runKernel` adds: listeners that find out that nobody subscribed to the channels. */
  heard: () => {
    const made = kernel({});
    let subscribers = 0;
    made.observe({ spawned: () => void subscribers, ended: () => void subscribers++ });
    return made;
  },
} as const satisfies Readonly<Record<string, () => Kernel>>;

function kernel(options: Partial<KernelOptions>): Kernel {
  return createKernel({ clock, random: new SeededRandom(1), ...options });
}

/** The workloads. */
export const WORKLOADS = {
  spawn: (times: number): Program =>
    function* (sys) {
      for (let left = times; left > 0; left -= BATCH) {
        for (let i = 0; i < Math.min(left, BATCH); i++) sys.spawn(ends);
        yield* sys.yield();
      }
    },
  pingPong: (times: number): Program =>
    function* (sys) {
      const there = sys.mailbox<number>();
      const back = sys.mailbox<number>();
      sys.spawn(
        function* (sys, inbox: Handle<number>, out: Handle<number>) {
          for (let i = 0; i < times; i++) yield* sys.send(out, yield* sys.receive(inbox));
        },
        { give: [there, back] },
      );
      for (let i = 0; i < times; i++) {
        yield* sys.send(there, i);
        yield* sys.receive(back);
      }
      sys.drop(there);
      sys.drop(back);
    },
  pile: (times: number): Program =>
    function* (sys) {
      const box = sys.mailbox<number>(ROOMY);
      for (let left = times; left > 0; left -= BATCH) {
        const count = Math.min(left, BATCH);
        for (let i = 0; i < count; i++) yield* sys.send(box, i);
        for (let i = 0; i < count; i++) yield* sys.receive(box);
      }
      sys.drop(box);
    },
} as const satisfies Readonly<Record<string, (times: number) => Program>>;

/** A workload on a kernel of one kind. */
export function on(kind: keyof typeof KERNELS, workload: keyof typeof WORKLOADS): () => Contestant {
  return () => {
    const made = KERNELS[kind]();
    return { run: (times) => finish(made, WORKLOADS[workload](times)) };
  };
}
