/** A linear script: it waits for messages in the middle of callbacks, with `sys.receive()`. */
import { sys } from "@glia-os/guest-js";

function* primes(): Generator<number> {
  for (let n = 2; ; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (prime) yield n;
  }
}

const adders = [1, 2, 3].map((step) => {
  let sum = 0;
  return (value: number) => (sum += value * step);
});

const results: unknown[] = [];
const source = primes();
for (const add of adders) {
  const line = [5, 3, 4, 1, 2].sort((a, b) => {
    const message = sys.receive();
    const value = Number(message.text());
    message.reply(`${add(value)}/${source.next().value}`);
    return a - b;
  });
  const text = line.join("").replace(/\d/g, (digit) => {
    const message = sys.receive();
    const fits = JSON.parse(message.text(), (_key, value: unknown) =>
      typeof value === "number" ? value + 1 : value,
    );
    message.reply(JSON.stringify(fits));
    return String.fromCharCode(96 + Number(digit));
  });
  results.push(text, Array.from({ length: 300 }, () => source.next().value as number).at(-1));
}
const last = sys.receive();
last.reply(JSON.stringify({ results, words: "the cat and the hat".match(/\b(\w)at\b/g) }));
