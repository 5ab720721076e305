/**
 * Draws a schedule of faults from a seed.
 *
 * FM1. The schedule is drawn before the run and depends on the menu, the seed, the number of machines and the duration only.
 * FM2. Every fault that lasts, and every machine that is down, ends before the last `healMs` of the run: what must hold after everything
 *      is well again can be checked.
 */
import type { Random } from "@glia-os/abi/ports";
import { finite, LIMIT_MAX } from "../limits.ts";
import { exponential } from "./exponential.ts";
import type { MachineFault, StallFlavour } from "./machine-fault.ts";

/** How many of each fault are drawn per minute of true time, on average, 0 (default) to 10,000; durations in milliseconds. */
export interface MachineFaultMenu {
  readonly crashes?: number;
  /** Mean time a crashed machine is down. Default 20,000. */
  readonly downMs?: number;
  /** Part of the crashes after which the machine remembers nothing. */
  readonly amnesia?: number;
  readonly stalls?: number;
  /** Mean time a machine stands still. Default 1500. */
  readonly stallMs?: number;
  /** A random cut of all machines in two. */
  readonly partitions?: number;
  readonly partitionMs?: number;
  /** One machine cut off: in both directions, only hearing, or only speaking. */
  readonly isolations?: number;
  /** One direction between two machines. */
  readonly blocks?: number;
  readonly clogs?: number;
  readonly resets?: number;
  readonly addresses?: number;
  /** Half a minute of a tenth of all datagrams lost, and jitter. */
  readonly storms?: number;
  readonly wallSteps?: number;
  readonly drifts?: number;
  readonly diskErrors?: number;
  readonly bitRots?: number;
  /** Quiet time at the end. Default 120,000, at most half of the run. */
  readonly healMs?: number;
}

const MINUTE_MS = 60_000;
const UINT32 = 0x1_0000_0000;
const FLAVOURS: readonly StallFlavour[] = ["timers-first", "packets-first", "io-only"];
const RATES_MAX = 10_000;

type Draw = (
  at: { readonly atMs: number; readonly forMs: number },
  random: Random,
) => readonly MachineFault[];

/** A schedule (FM1, FM2), by time. @throws {BadOptionError} */
export function drawMachineFaults(
  menu: MachineFaultMenu,
  random: Random,
  machines: number,
  durationMs: number,
): readonly MachineFault[] {
  for (const [name, value] of Object.entries(menu))
    finite(
      `menu.${name}`,
      value as number,
      0,
      name.endsWith("Ms") ? LIMIT_MAX : name === "amnesia" ? 1 : RATES_MAX,
    );
  const untilMs = durationMs - Math.min(menu.healMs ?? 120_000, durationMs / 2);
  const faults: MachineFault[] = [];
  for (const [name, { perMinute, meanMs, draw }] of Object.entries(drawsOf(menu, machines))) {
    const source = random.fork(name);
    if (perMinute === 0) continue;
    let atMs = 0;
    for (;;) {
      atMs += (exponential(source) * MINUTE_MS) / perMinute;
      if (atMs >= untilMs) break;
      const forMs = Math.min(meanMs * exponential(source), untilMs - atMs);
      faults.push(...draw({ atMs: micro(atMs), forMs: micro(forMs) }, source));
    }
  }
  return faults.sort((a, b) => a.atMs - b.atMs);
}

interface Drawn {
  readonly perMinute: number;
  readonly meanMs: number;
  readonly draw: Draw;
}

function drawsOf(menu: MachineFaultMenu, machines: number): Readonly<Record<string, Drawn>> {
  const one = (random: Random): number => random.uint32() % machines;
  const others = (than: number): number[] =>
    Array.from({ length: machines }, (_, i) => i).filter((i) => i !== than);
  const pair = (random: Random): [number, number] => {
    const a = one(random);
    return [a, (a + 1 + (random.uint32() % Math.max(1, machines - 1))) % machines];
  };
  const drawn = (perMinute: number | undefined, meanMs: number, draw: Draw): Drawn => ({
    perMinute: perMinute ?? 0,
    meanMs,
    draw,
  });
  return {
    crashes: drawn(menu.crashes, menu.downMs ?? 20_000, ({ atMs, forMs }, random) => {
      const machine = one(random);
      const amnesia = random.uint32() < (menu.amnesia ?? 0) * UINT32;
      const reset = (random.uint32() & 1) === 1;
      return [
        { kind: "crash", atMs, machine, reset },
        { kind: "restart", atMs: atMs + forMs, machine, amnesia },
      ];
    }),
    stalls: drawn(menu.stalls, menu.stallMs ?? 1500, ({ atMs, forMs }, random) => [
      {
        kind: "stall",
        atMs,
        forMs,
        machine: one(random),
        flavour: FLAVOURS[random.uint32() % 3] as StallFlavour,
      },
    ]),
    partitions: drawn(menu.partitions, menu.partitionMs ?? 30_000, ({ atMs, forMs }, random) => {
      const left = Array.from({ length: machines }, (_, i) => i).filter(() => (random.uint32() & 1) === 1);
      return [{ kind: "partition", atMs, forMs, groups: [left] }];
    }),
    isolations: drawn(menu.isolations, menu.partitionMs ?? 30_000, ({ atMs, forMs }, random) => {
      const machine = one(random);
      const way = random.uint32() % 3;
      const rest = others(machine);
      const deaf: MachineFault = { kind: "block", atMs, forMs, from: rest, to: [machine] };
      const mute: MachineFault = { kind: "block", atMs, forMs, from: [machine], to: rest };
      return way === 0 ? [deaf, mute] : [way === 1 ? deaf : mute];
    }),
    blocks: drawn(menu.blocks, menu.partitionMs ?? 30_000, ({ atMs, forMs }, random) => {
      const [from, to] = pair(random);
      return [{ kind: "block", atMs, forMs, from: [from], to: [to] }];
    }),
    clogs: drawn(menu.clogs, 5000, ({ atMs, forMs }, random) => {
      const [from, to] = pair(random);
      return [{ kind: "clog", atMs, forMs, from, to }];
    }),
    ...smallDraws(menu, { one, pair, drawn }),
  };
}

function smallDraws(
  menu: MachineFaultMenu,
  {
    one,
    pair,
    drawn,
  }: {
    one(random: Random): number;
    pair(random: Random): [number, number];
    drawn(perMinute: number | undefined, meanMs: number, draw: Draw): Drawn;
  },
): Readonly<Record<string, Drawn>> {
  const signed = (random: Random, most: number): number =>
    Math.round((random.uint32() / UINT32) * 2 * most - most);
  return {
    resets: drawn(menu.resets, 0, ({ atMs }, random) => {
      const [a, b] = pair(random);
      return [{ kind: "reset", atMs, a, b }];
    }),
    addresses: drawn(menu.addresses, 0, ({ atMs }, random) => [
      { kind: "address", atMs, machine: one(random) },
    ]),
    storms: drawn(menu.storms, 30_000, ({ atMs, forMs }) => [
      { kind: "weather", atMs, forMs, network: { loss: 0.1, duplication: 0.1, jitterMs: 20, slow: 0.001 } },
    ]),
    wallSteps: drawn(menu.wallSteps, 0, ({ atMs }, random) => [
      { kind: "wall-step", atMs, machine: one(random), byMs: signed(random, 3_600_000) },
    ]),
    drifts: drawn(menu.drifts, 0, ({ atMs }, random) => [
      { kind: "drift", atMs, machine: one(random), ppm: signed(random, 10_000) },
    ]),
    diskErrors: drawn(menu.diskErrors, 5000, ({ atMs, forMs }, random) => [
      {
        kind: "disk-error",
        atMs,
        forMs,
        machine: one(random),
        code: (random.uint32() & 1) === 0 ? "EIO" : "ENOSPC",
      },
    ]),
    bitRots: drawn(menu.bitRots, 0, ({ atMs }, random) => [{ kind: "bit-rot", atMs, machine: one(random) }]),
  };
}

/** Whole microseconds: short in a printed list, and the same when read back. */
function micro(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
