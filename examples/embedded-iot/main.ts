/** Runs the field and shows it. `node --conditions=@glia-os/source examples/embedded-iot/main.ts [--seed N] [--stay]`. */
import { parseArgs } from "node:util";
import { runField } from "./field.ts";
import { plot } from "./plot.ts";

function seedOf(args: readonly string[]): { readonly seed: number; readonly stays: boolean } {
  const options = {
    seed: { type: "string", default: "1" },
    stay: { type: "boolean", default: false },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const seed = Number(values.seed);
  if (!/^\d+$/.test(values.seed) || !Number.isSafeInteger(seed))
    throw new RangeError(`--seed ${values.seed} is not a whole number from 0`);
  return { seed, stays: values.stay };
}

function refuse(error: unknown): never {
  console.error(`${(error as Error).message}. Nothing was run.`);
  process.exit(2);
}

let options: ReturnType<typeof seedOf>;
try {
  options = seedOf(process.argv.slice(2));
} catch (error) {
  refuse(error);
}
const result = await runField(options);
const clock = (ms: number): string =>
  `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}`;

console.log(
  "battery of each node, once a minute; the line is where the agent lives, a dot is a node that is off\n",
);
console.log(plot(result, Math.min(process.stdout.columns ?? 100, 110)));
console.log("");
for (const { atMs, from, to, percent, downtimeMs } of result.moves)
  console.log(
    `${clock(atMs).padStart(6)}  ${from} (${percent.toFixed(1)} %) -> ${to}, down for ${downtimeMs.toFixed(0)} ms`,
  );
for (const name of result.diedHosting) console.log(`${name} died with the agent on it`);
const lost = result.taken - result.collected;
console.log(
  `${result.taken} readings taken, ${result.collected} with the agent, ${lost} lost, ${result.wrong} wrong`,
);
process.exitCode = lost === 0 && result.wrong === 0 ? 0 : 1;
