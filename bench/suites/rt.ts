/** The embedded runtime: what pools cost, and how much a node does while it has nothing to do. */
import { BumpPool, FixedBlockPool, VariablePool } from "@glia-os/rt";
import { type IdleFigure, idleKernel, idleMesh, idleSerf } from "../src/rt/idle-processes.ts";
import type { Contestant, RowDefinition, Suite } from "../src/suite.ts";

const LIVE = 64;
const NODES = 3;
const PAIRS = 1_000_000;

function fixed(): Contestant {
  const pool = new FixedBlockPool({ blockBytes: 64, blocks: 1024 });
  const ring = new Int32Array(LIVE).map(() => pool.alloc());
  return {
    run: (times) => {
      for (let i = 0; i < times; i++) {
        const at = i & (LIVE - 1);
        pool.free(ring[at] as number);
        ring[at] = pool.tryAlloc();
      }
    },
  };
}

/** What a program would do without a pool: an array per block, for the collector to find. */
function arrays(): Contestant {
  const ring = Array.from({ length: LIVE }, () => new Uint8Array(64));
  return {
    run: (times) => {
      for (let i = 0; i < times; i++) ring[i & (LIVE - 1)] = new Uint8Array(64);
    },
  };
}

/** Bytes that a pair leaves on the heap, in tenths: what the engine itself allocates in a run of this length is less. */
function garbage(contestant: Contestant): Contestant {
  contestant.run?.(PAIRS);
  return {
    value: () => {
      const before = process.memoryUsage().heapUsed;
      contestant.run?.(PAIRS);
      return Math.max(0, Math.round((10 * (process.memoryUsage().heapUsed - before)) / PAIRS) / 10);
    },
  };
}

/** Sizes that a program cannot know: 8 to 263 bytes. The same for each contestant. */
function variable(): Contestant {
  const pool = new VariablePool({ bytes: 64 * 1024 });
  const ring = new Int32Array(LIVE).map(() => pool.alloc(64));
  let state = 1;
  return {
    run: (times) => {
      for (let i = 0; i < times; i++) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
        const at = i & (LIVE - 1);
        pool.free(ring[at] as number);
        ring[at] = pool.tryAlloc(8 + ((state >>> 8) & 255));
      }
    },
  };
}

function variableArrays(): Contestant {
  const ring = Array.from({ length: LIVE }, () => new Uint8Array(64));
  let state = 1;
  return {
    run: (times) => {
      for (let i = 0; i < times; i++) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
        ring[i & (LIVE - 1)] = new Uint8Array(8 + ((state >>> 8) & 255));
      }
    },
  };
}

function bump(): Contestant {
  const pool = new BumpPool({ bytes: 64 * 1024 });
  return {
    run: (times) => {
      for (let i = 0; i < times; i++) if (pool.tryAlloc(24) < 0) pool.reset();
    },
  };
}

const pools: readonly RowDefinition[] = [
  {
    id: "fixed-block",
    what: `free one of ${LIVE} blocks of 64 bytes and allocate another, from a fixed-block pool; beside it, a new Uint8Array(64)`,
    unit: "ns",
    better: "lower",
    excludes: "making the pool; writing to the block",
    target: { max: 8 },
    glia: fixed,
    peers: { uint8array: arrays },
  },
  {
    id: "fixed-block-garbage",
    what: "bytes that one pair of free and allocate leaves on the JavaScript heap, over a million pairs, in tenths",
    unit: "B",
    better: "lower",
    excludes: "the pool's own buffer",
    target: { max: 0 },
    glia: () => garbage(fixed()),
    peers: {},
  },
  {
    id: "bump",
    what: "allocate 24 bytes from a bump pool of 64 KiB, resetting it when it is full",
    unit: "ns",
    better: "lower",
    excludes: "making the pool; writing to the block",
    glia: bump,
    peers: { uint8array: arrays },
  },
  {
    id: "variable-pool",
    what: `free one of ${LIVE} blocks of 8 to 263 bytes and allocate another of a random size, from a variable pool of 64 KiB`,
    unit: "ns",
    better: "lower",
    excludes: "making the pool; writing to the block",
    target: { max: 60 },
    glia: variable,
    peers: { uint8array: variableArrays },
  },
];

function idleRow(id: string, figure: IdleFigure, mesh: boolean, max: number): RowDefinition {
  const who = mesh
    ? `the busiest of ${NODES} nodes at rest in one mesh, profile lan, a process each; beside it, the busiest of ${NODES} members of serf`
    : "a process with a kernel whose one task waits for a message";
  return {
    id,
    what: `${figure} of ${who}; all threads count`,
    unit: figure === "percent of a core" ? "%" : "1/s",
    better: "lower",
    excludes: "the first 20 s after the start, in which the engine compiles",
    target: { max },
    glia: () => (mesh ? idleMesh(figure, NODES) : idleKernel(figure)),
    peers: mesh ? { serf: () => idleSerf(figure, NODES) } : {},
  };
}

export const suite: Suite = {
  title: "the embedded runtime: pools, and nodes at rest",
  rows: [
    ...pools,
    idleRow("idle-wakeups", "wake-ups per second", false, 1),
    idleRow("idle-cpu", "percent of a core", false, 0.1),
    idleRow("idle-mesh-wakeups", "wake-ups per second", true, 12),
    idleRow("idle-mesh-cpu", "percent of a core", true, 0.5),
  ],
};
