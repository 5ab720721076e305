/**
 * `node main.ts [FILE] [--json]`: a cluster of three processes, and an agent in TypeScript that counts the words of FILE, line by line. While the lines flow
 * it moves from edge to core to relay and back to edge; then relay is killed. At the end its counts are compared with a count made here.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildAgent } from "@glia-os/guest-js/build";
import { Cluster, type Role } from "./cluster.ts";

const AGENT = "index";
const WAIT_MS = 60_000;
/** Where the agent goes, each when this share of the lines was sent. */
const JOURNEY: readonly (readonly [share: number, to: Role])[] = [
  [0.2, "core"],
  [0.4, "relay"],
  [0.6, "edge"],
];
/** When relay is killed. */
const KILL_AT = 0.8;

/** What the agent counted, or what was counted here. */
export interface Counts {
  readonly lines: number;
  readonly words: number;
  readonly distinct: number;
}

/** What happened. */
export interface Outcome {
  readonly agent: Counts;
  readonly expected: Counts;
  readonly moves: readonly { readonly from: string; readonly to: string; readonly downtimeMs: number }[];
  /** From the kill until the client held relay for dead. */
  readonly detectedMs: number;
  readonly resent: number;
}

/** The same count without agents and nodes. */
export function countHere(lines: readonly string[]): Counts {
  const words = lines.flatMap((line) => line.toLowerCase().match(/\p{L}+/gu) ?? []);
  return { lines: lines.length, words: words.length, distinct: new Set(words).size };
}

/** Run the cluster over some lines; `say` gets a line of text for each thing that happens. */
export async function runCluster(lines: readonly string[], say: (text: string) => void): Promise<Outcome> {
  await using cluster = new Cluster();
  const module = await buildAgent({ entry: join(import.meta.dirname, "index-agent.ts") });
  const client = await cluster.open((role, { pid, address }) =>
    say(`${role.padEnd(6)} process ${pid} at ${address.host}:${address.port}`),
  );
  await client.spawn({ name: AGENT, module: module.bytes, grants: module.grants, on: "edge" });
  say(`agent ${AGENT} works on edge`);

  const moves: { from: string; to: string; downtimeMs: number }[] = [];
  const journey = JOURNEY.map(([share, to]) => ({ at: Math.floor(share * lines.length), to }));
  const killAt = Math.floor(KILL_AT * lines.length);
  let where: Role = "edge";
  let moving: Promise<unknown> = Promise.resolve();
  let detected: Promise<number> | undefined;
  const move = async (to: Role): Promise<void> => {
    const { downtimeMs, strategy } = await client.migrate(AGENT, to);
    say(`moved from ${where} to ${to}, ${strategy}, stood still for ${downtimeMs.toFixed(1)} ms`);
    moves.push({ from: where, to, downtimeMs });
    where = to;
  };
  for (const [index, line] of lines.entries()) {
    const leg = journey.find(({ at }) => at === index);
    // Lines go on while the agent moves; only the next move waits for the one before.
    if (leg !== undefined) moving = moving.then(() => move(leg.to));
    if (index === killAt) {
      await moving;
      cluster.kill("relay");
      say("killed relay");
      detected = cluster.until("relay", "dead");
    }
    await client.send(AGENT, new TextEncoder().encode(line));
  }
  const { resent } = await client.flush(AGENT, WAIT_MS);
  const reply = await client.ask(AGENT, new TextEncoder().encode("report"), WAIT_MS);
  const detectedMs = (await detected) ?? 0;
  say(`relay held for dead ${(detectedMs / 1000).toFixed(1)} s after the kill`);
  const agent = JSON.parse(new TextDecoder().decode(reply)) as Counts;
  return { agent, expected: countHere(lines), moves, detectedMs, resent };
}

/** Whether the agent came to what was counted here. */
export function agrees({ agent, expected }: Outcome): boolean {
  return (["lines", "words", "distinct"] as const).every((name) => agent[name] === expected[name]);
}

/** The lines of a file; the end of the program where it cannot be read. */
function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch (error) {
    console.error(`mesh-cluster: ${error instanceof Error ? error.message : String(error)}`);
    return process.exit(1);
  }
}

if (import.meta.main) {
  const args = process.argv.slice(2);
  const json = args.includes("--json");
  const files = args.filter((arg) => arg !== "--json");
  const file = files[0] ?? join(import.meta.dirname, "../../docs/mesh.md");
  if (files.length > 1 || file.startsWith("-")) {
    console.error("usage: node main.ts [FILE] [--json]");
    process.exit(2);
  }
  const lines = linesOf(file);
  const outcome = await runCluster(lines, json ? () => undefined : console.log);
  const { agent, expected } = outcome;
  if (json) console.log(JSON.stringify({ ok: agrees(outcome), ...outcome }));
  else {
    const told = ({ lines, words, distinct }: Counts): string =>
      `${lines} lines, ${words} words, ${distinct} distinct`;
    console.log(`agent:    ${told(agent)}\nexpected: ${told(expected)}`);
    console.log(agrees(outcome) ? "nothing lost, nothing counted twice" : "the counts do not agree");
  }
  process.exitCode = agrees(outcome) ? 0 : 1;
}
