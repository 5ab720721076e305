/** `node main.ts [SEED]`: an agent learns to read digits, and is asked to read those it has not seen. */
import { readFileSync } from "node:fs";
import { SeededRandom } from "@glia-os/abi/testing";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { runKernel } from "@glia-os/host";
import { createKernel, type Handle, type Sys } from "@glia-os/kernel";
import { digitAgent, type Reading } from "./digit-agent.ts";
import { type Digit, decodeDigits, SIDE, TRAINING } from "./digits.ts";
import { BATCH } from "./network.ts";

/** The images of this example. */
export function loadDigits(): Digit[] {
  return decodeDigits(readFileSync(new URL("data/digits.bin", import.meta.url)));
}

/** Numbers from -1 to 1 from a seed. */
export function drawFrom(seed: number | string): () => number {
  const random = new SeededRandom(seed);
  return () => random.uint32() / 2 ** 31 - 1;
}

/** What an agent read of images it had not seen while it learnt. */
export interface Examination {
  readonly right: number;
  readonly asked: number;
  /** The images it read wrongly. */
  readonly wrong: readonly (Digit & Reading)[];
}

/** Trains an agent and examines it. */
export function* examine(sys: Sys, digits: readonly Digit[], draw: () => number) {
  const service = sys.endpoint();
  const agent = sys.spawn((sys, service: Handle) => digitAgent(sys, service, digits, draw), {
    give: [service],
  });
  const unseen = digits.slice(TRAINING);
  const wrong: (Digit & Reading)[] = [];
  for (let at = 0; at < unseen.length; at += BATCH) {
    const batch = unseen.slice(at, at + BATCH);
    const images = batch.map(({ pixels }) => pixels);
    const readings = (yield* sys.call(service, images, 10 * 60_000)) as readonly Reading[];
    for (const [index, digit] of batch.entries()) {
      const reading = readings[index] as Reading;
      if (reading.digit !== digit.label) wrong.push({ ...digit, ...reading });
    }
  }
  sys.kill(agent);
  return { right: unseen.length - wrong.length, asked: unseen.length, wrong } satisfies Examination;
}

/** An image in letters. */
export function drawn({ pixels }: Digit): string {
  const shades = " .:-=+*#%@";
  const rows = Array.from({ length: SIDE }, (_, row) => pixels.slice(row * SIDE, (row + 1) * SIDE));
  return rows.map((row) => row.map((grey) => shades[Math.floor((grey * 9) / 15)]).join("")).join("\n");
}

if (import.meta.main) {
  const kernel = createKernel({ clock: createSystemClock(), random: createSystemRandom() });
  const machine = runKernel(kernel, { timers: createSystemTimers() });
  const draw = drawFrom(process.argv[2] ?? "1");
  const exit = await machine.exitOf<Examination>(kernel.spawn((sys) => examine(sys, loadDigits(), draw)));
  await machine.ended();
  if (exit.kind !== "ok") throw new RangeError(`the agent ended: ${exit.kind}`);
  const { right, asked, wrong } = exit.value;
  console.log(`read ${right} of ${asked} digits it had never seen: ${((100 * right) / asked).toFixed(1)} %`);
  for (const one of wrong.slice(0, 3)) {
    const sure = (100 * one.probability).toFixed(0);
    console.log(`\n${drawn(one)}\nis a ${one.label}, read as ${one.digit} (${sure} % sure)`);
  }
}
