/** `node main.ts [--prices FILE] [--analysts N] [--leave-at TICK] [--json]`: play a price file to the swarm. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SeededRandom } from "@glia-os/abi/testing";
import { createLocalSystem } from "@glia-os/cells/agent";
import { VirtualTime } from "@glia-os/mesh-core/testing";
import { type Replayed, type ReplayOptions, replay } from "./desk.ts";
import { START_CENTS } from "./executor.ts";
import { type Price, parsePrices } from "./prices.ts";

/** Play prices to a swarm in this process. Time is virtual, so what is measured in milliseconds does not depend on the machine. */
export async function play(prices: readonly Price[], options: ReplayOptions): Promise<Replayed> {
  const time = new VirtualTime();
  const system = createLocalSystem({ clock: time, timers: time, random: new SeededRandom(1) });
  try {
    return await time.settle(
      system.run((ctx) => replay(ctx, prices, options)),
      3_600_000,
    );
  } finally {
    await time.settle(system.close());
  }
}

/** What the program prints. */
export function report({ ticks, book, verdicts, watched, moved, worth }: Replayed): string {
  const money = (cents: number): string => (cents / 100).toFixed(2);
  const votes = verdicts.filter(({ committee }) => committee !== undefined);
  const count = (outcome: string, among = verdicts): number =>
    among.filter((one) => one.outcome === outcome).length;
  return [
    `${ticks} ticks of prices`,
    `orders      ${verdicts.length}: ${count("executed")} executed, ${count("refused")} refused, ${count("nothing")} without cash or shares`,
    `committee   ${votes.length} large orders: ${count("executed", votes)} approved, ${count("refused", votes)} refused`,
    ...Object.entries(watched).map(([n, symbols]) => `analyst ${n}   ${symbols.join(" ") || "(no symbol)"}`),
    ...(moved.length === 0 ? [] : [`moved       ${moved.join(" ")} when analyst 0 left`]),
    ...Object.entries(book.shares)
      .filter(([, shares]) => shares > 0)
      .map(([symbol, shares]) => `holds       ${shares} ${symbol}`),
    `cash        ${money(book.cents)}`,
    `worth       ${money(worth)} of ${money(START_CENTS)} at the start`,
  ].join("\n");
}

const USAGE = "usage: node main.ts [--prices FILE] [--analysts 2-64] [--leave-at TICK] [--json]";

/** What the command line asks for; undefined where it does not say it rightly. */
function asked(args: readonly string[]) {
  const options = {
    prices: { type: "string", default: join(import.meta.dirname, "prices.csv") },
    analysts: { type: "string", default: "4" },
    "leave-at": { type: "string" },
    json: { type: "boolean", default: false },
  } as const;
  try {
    const { values } = parseArgs({ args: [...args], options });
    const analysts = Number(values.analysts);
    const leaveAt = values["leave-at"] === undefined ? undefined : Number(values["leave-at"]);
    if (!Number.isInteger(analysts) || analysts < 2 || analysts > 64) return undefined;
    if (leaveAt !== undefined && (!Number.isInteger(leaveAt) || leaveAt < 0)) return undefined;
    return {
      file: values.prices,
      json: values.json,
      replay: { analysts, ...(leaveAt === undefined ? {} : { leaveAt }) },
    };
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  const wish = asked(process.argv.slice(2));
  if (wish === undefined) {
    console.error(USAGE);
    process.exitCode = 2;
  } else
    try {
      const text = readFileSync(wish.file, "utf8");
      const replayed = await play(parsePrices(text), wish.replay);
      // What the file says of itself: that of this example says that no market had its prices.
      const label = /^#.*$/m.exec(text)?.[0];
      if (label !== undefined && !wish.json) console.log(label);
      console.log(wish.json ? JSON.stringify(replayed, null, 2) : report(replayed));
    } catch (error) {
      console.error(`trading-swarm: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
}
