/** The agent: it trains its network first, letting others run after each step, and then reads digits for whoever asks. */
import type { Handle, Sys } from "@glia-os/kernel";
import type { Envelope } from "@glia-os/kernel/ipc";
import { type Digit, TRAINING } from "./digits.ts";
import { BATCH, Network } from "./network.ts";

/** What it answers for one image. */
export interface Reading {
  readonly digit: number;
  readonly probability: number;
}

/** How often it goes through the images it learns from. */
export const EPOCHS = 30;

const RATE = 0.3;

/** Train on the first images, then answer calls to `service`: a list of images, up to BATCH, gets a list of readings. */
export function* digitAgent(sys: Sys, service: Handle, digits: readonly Digit[], draw: () => number) {
  const network = yield* trained(sys, digits.slice(0, TRAINING), draw);
  sys.serve(service);
  for (;;) {
    const ask = (yield* sys.receive(service)) as Envelope;
    const images = ask.message as readonly (readonly number[])[];
    sys.reply(ask, network.classify(images.slice(0, BATCH)).map(readingOf));
  }
}

/** A network that has learnt. */
export function* trained(sys: Sys, digits: readonly Digit[], draw: () => number) {
  const network = new Network(draw);
  const order = digits.map((_, index) => index);
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    shuffle(order, draw);
    for (let at = 0; at + BATCH <= order.length; at += BATCH) {
      const batch = order.slice(at, at + BATCH).map((index) => digits[index] as Digit);
      network.learn(
        batch.map(({ pixels }) => pixels),
        batch.map(({ label }) => label),
        RATE,
      );
      yield* sys.yield();
    }
  }
  return network;
}

/** Fisher and Yates. */
function shuffle(order: number[], draw: () => number): void {
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.min(at, Math.floor(((draw() + 1) / 2) * (at + 1)));
    [order[at], order[other]] = [order[other] as number, order[at] as number];
  }
}

function readingOf(probabilities: Float32Array): Reading {
  const probability = Math.max(...probabilities);
  return { digit: probabilities.indexOf(probability), probability };
}
