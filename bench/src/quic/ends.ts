/**
 * `node ends.ts serve CARRIER` serves and prints its address. `node ends.ts dial CARRIER` starts such a server, then answers each line on standard
 * input with a number: "echo" (median round trip of 64 bytes, us), "connect" (median, ms), "bulk BYTES" (MB/s).
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { carriers } from "./carriers.ts";
import type { Link } from "./duplex-link.ts";

const ECHOES = 400;
/** Round trips until the engine has compiled both processes. */
const WARM_UPS = 10_000;
const CONNECTS = 5;

const [role = "", name = ""] = process.argv.slice(2);
const carrier = carriers[name];
if (carrier === undefined) throw new RangeError(`no carrier ${name}`);

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function echoes(link: Link): Promise<number> {
  const bytes = Buffer.alloc(64, 1);
  const times: number[] = [];
  for (let i = 0; i < ECHOES; i++) times.push(await timed(() => link.echo(bytes)));
  return median(times) * 1000;
}

async function connects(dial: () => Promise<Link>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < CONNECTS; i++) {
    const start = performance.now();
    const link = await dial();
    times.push(performance.now() - start);
    await link.close();
  }
  return median(times);
}

async function bulk(dial: () => Promise<Link>, total: number): Promise<number> {
  const link = await dial();
  const ms = await timed(() => link.send(total));
  await link.close();
  return total / 1000 / ms;
}

async function main(address: string): Promise<void> {
  const dial = await carrier!.dialler(address);
  const link = await dial();
  for (let i = 0; i < WARM_UPS; i++) await link.echo(Buffer.alloc(64));
  console.log("ready");
  for await (const line of createInterface({ input: process.stdin })) {
    const [what, size] = line.split(" ");
    if (what === "echo") console.log(await echoes(link));
    else if (what === "connect") console.log(await connects(dial));
    else console.log(await bulk(dial, Number(size)));
  }
}

if (role === "serve") {
  console.log(await carrier.serve());
  process.stdin.resume();
  process.stdin.once("end", () => process.exit(0));
} else {
  const args = [...process.execArgv, import.meta.filename, "serve", name];
  const server = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  await main(String((await answers.next()).value));
  server.stdin.end();
  process.exit(0);
}
