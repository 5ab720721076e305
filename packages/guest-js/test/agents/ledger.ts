/** An agent with what the language has: generics, private fields, Map, async iteration, try/catch, timers. Its replies depend on all messages before. */
import { inbox, type Message, sys } from "@glia-os/guest-js";

class Refused extends Error {}

class Counter<K, V extends number> {
  readonly #counts = new Map<K, V>();
  #total = 0;

  add(key: K, amount: V): number {
    if (!Number.isFinite(amount)) throw new Refused(`not an amount: ${amount}`);
    const sum = ((this.#counts.get(key) ?? 0) + amount) % 1_000_003;
    this.#counts.set(key, sum as V);
    this.#total = (this.#total * 31 + sum) % 1_000_003;
    return this.#total;
  }

  *[Symbol.iterator](): Generator<[K, V]> {
    for (const entry of this.#counts) yield entry;
  }
}

async function* numbered<T>(source: AsyncIterable<T>): AsyncGenerator<[number, T]> {
  let n = 0;
  for await (const one of source) yield [++n, one];
}

const counter = new Counter<string, number>();
let ticks = 0;
setInterval(() => ticks++, 1);

/** Some work that takes several slices, in the middle of which the agent may be moved. */
function grind(seed: number): number {
  const values = Array.from({ length: 80 }, (_, i) => (seed * 7919 + i * 104_729) % 9973);
  values.sort((a, b) => {
    let bias = 0;
    for (let i = 0; i < 6; i++) bias = (bias * 17 + a - b) | 0;
    return a - b + (bias & 0);
  });
  return values.reduce((sum, value, i) => (sum * 33 + value * (i + 1)) % 1_000_003, seed);
}

async function handle(message: Message, n: number): Promise<unknown> {
  const { key, amount, text } = message.json<{ key: string; amount: number; text: string }>();
  await Promise.resolve();
  try {
    const total = counter.add(key, amount);
    const [, word] = /(\w+)-(?=\d)/.exec(text) ?? [];
    return { n, total, work: grind(total), word };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { n, refused: error.message };
  } finally {
    if (n % 50 === 0) await sys.delay(1);
  }
}

for await (const [n, message] of numbered(inbox)) {
  if (message.text() === "end") {
    message.reply({ n, keys: [...counter].length, ticked: ticks > 0 });
    break;
  }
  message.reply(await handle(message, n));
}
sys.exit(7);
