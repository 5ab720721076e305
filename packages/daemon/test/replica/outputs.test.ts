/** What an agent with a replica says to others, over crashes of its nodes at chosen entries of its log. A failure names its seed or entry. */
import { buildAgent } from "@glia-os/guest-js/build";
import { beforeAll, describe, expect, it } from "vitest";
import { envelope, type Heard, OutputsNode, type Peer, World } from "./outputs-world.ts";

const soak = process.env["GLIA_SOAK"] === "1";
const TIMEOUT = { timeout: soak ? 7_200_000 : 240_000 };
const NOTES = 16;
const CLIENT = "client";

let manifest: { name: string; program: Uint8Array; memoryPages: number; grants: readonly string[] };
beforeAll(async () => {
  const { bytes, grants } = await buildAgent({ entry: `${import.meta.dirname}/programs/clerk.ts` });
  manifest = { name: "agent", program: bytes, memoryPages: 256, grants: [...grants, "replica/hold"] };
}, 120_000);

/** Numbers from 0 to 1 that follow from a seed. */
function drawing(seed: number): () => number {
  let state = seed * 2_654_435_761 + 1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d) + 0x6d2b_79f5) >>> 0;
    return ((state ^ (state >>> 12)) >>> 0) / 2 ** 32;
  };
}

const tell = (message: string, input: unknown): Uint8Array =>
  envelope({ kind: "tell", from: undefined, correlation: 0, message, input });

class Run {
  readonly world: World;
  readonly book: Peer;
  readonly listener: Peer;
  node: OutputsNode;
  readonly #seed: number;
  #epoch = 1;
  crashes = 0;
  moves = 0;
  constructor(seed: number) {
    this.#seed = seed;
    this.world = new World(drawing(seed));
    this.book = this.world.peer("1", "book");
    this.world.peer("2", "mill").answers = ({ input }) => 2 * (input as { n: number }).n;
    this.listener = this.world.peer("3", "listener");
    this.world.hearers.set("news", [this.listener.id]);
    this.node = new OutputsNode(this.world, 1000 * seed);
  }

  async begin(): Promise<void> {
    await this.node.start(manifest);
    for (let n = 1; n <= NOTES; n++) this.world.toAgent(CLIENT, tell("note", n));
  }

  /** The node is gone; its replica had this many entries. */
  async crash(position: number): Promise<void> {
    this.crashes++;
    this.node.crash();
    const copy = this.node.copy(manifest, Math.max(position, this.node.first));
    this.node = new OutputsNode(this.world, 1000 * this.#seed + this.crashes);
    await this.node.adopt(copy, ++this.#epoch);
    if (this.node.ends.length > 0) this.world.wrong.push(`it ended: ${JSON.stringify(this.node.ends)}`);
  }

  /** It moves, or nearly. */
  async move(commits: boolean): Promise<void> {
    this.moves++;
    const next = new OutputsNode(this.world, 1000 * this.#seed + 500 + this.moves);
    await this.node.move(next, ++this.#epoch, commits);
    if (commits) this.node = next;
    if (this.node.ends.length > 0) this.world.wrong.push(`it ended: ${JSON.stringify(this.node.ends)}`);
  }

  /** Until everything was said, with nothing going wrong any more. */
  async finish(): Promise<void> {
    for (let turn = 0; turn < 400 && !this.#done(); turn++) {
      this.node.hold(this.node.entries.length);
      await this.node.exchange();
      await this.node.pass(10);
    }
  }

  #done(): boolean {
    return (
      this.of("line").length >= NOTES &&
      this.of("rang").length >= Math.floor(NOTES / 3) &&
      this.of("doubled").length >= Math.floor(NOTES / 4) &&
      this.of("born").length >= Math.floor(NOTES / 7) &&
      this.listener.heard.length >= NOTES
    );
  }

  of(message: string): readonly Heard[] {
    return this.book.heard.filter((heard) => heard.message === message);
  }

  /** What does not hold at the end. */
  wrong(): readonly string[] {
    const found = [...this.world.wrong];
    const check = (what: string, is: unknown, should: unknown): void => {
      const [a, b] = [JSON.stringify(is), JSON.stringify(should)];
      if (a !== b) found.push(`${what}: ${a} is not ${b}`);
    };
    const lines = this.of("line").map(({ input }) => input as { n: number; before: number; after: number });
    const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
    check(
      "numbers",
      lines.map(({ n }) => n),
      upTo(NOTES),
    );
    check(
      "histories",
      lines.map(({ before }) => before),
      [1, ...lines.slice(0, -1).map(({ after }) => after)],
    );
    check(
      "news",
      this.listener.heard.map(({ input }) => input),
      this.of("line").map(({ input }) => input),
    );
    const counted = (message: string, field: string): unknown[] =>
      this.of(message).map(({ input }) => (input as Record<string, unknown>)[field]);
    check("rings", counted("rang", "rings"), upTo(Math.floor(NOTES / 3)));
    check("asks", counted("doubled", "doubled"), upTo(Math.floor(NOTES / 4)));
    check(
      "sums",
      counted("doubled", "twice"),
      counted("doubled", "n").map((n) => 2 * (n as number)),
    );
    check("births", counted("born", "children"), upTo(Math.floor(NOTES / 7)));
    check("children", this.world.children, Math.floor(NOTES / 7));
    return found;
  }
}

describe("RO1, RD1, RD2, OB2: what an agent with a replica asked for", () => {
  it("is done once each and in order, wherever in its log its node is gone", TIMEOUT, async () => {
    const plain = new Run(1);
    await plain.begin();
    await plain.finish();
    expect(plain.wrong()).toEqual([]);
    const all = plain.node.entries.length;
    const every = soak ? 1 : Math.ceil(all / 8);
    const found: string[] = [];
    let runs = 0;
    for (let at = plain.node.first; at < all; at += every)
      for (const behind of soak ? [0, 1, 3, 8] : [at % 4]) {
        const run = new Run(1);
        await run.begin();
        // The replica has more than it said it has: whatever it has counts.
        for (let turn = 0; turn < 400 && run.node.entries.length < at; turn++) {
          run.node.hold(run.node.entries.length - behind);
          await run.node.exchange();
          await run.node.pass(10);
        }
        await run.crash(Math.max(run.node.held, Math.min(at, run.node.entries.length)));
        await run.finish();
        for (const what of run.wrong()) found.push(`entry ${at}, ${behind} behind: ${what}`);
        runs++;
      }
    console.log(`outputs, a crash at an entry: ${runs} runs over ${all} entries, ${found.length} failed`);
    expect(found).toEqual([]);
  });

  it("is done once each and in order, over several crashes, moves and checkpoints", TIMEOUT, async () => {
    const found: string[] = [];
    const seeds = soak ? 1000 : 8;
    let [crashes, moves] = [0, 0];
    for (let seed = 2; seed < 2 + seeds; seed++) {
      const run = new Run(seed);
      const { random } = run.world;
      await run.begin();
      for (let turn = 0; turn < 40; turn++) {
        const { node } = run;
        const kind = random();
        if (kind < 0.5) await node.exchange();
        else if (kind < 0.7) await node.pass(Math.floor(random() * 60));
        else if (kind < 0.9)
          node.hold(node.held + Math.floor(random() * (node.entries.length - node.held + 1)));
        else if (kind < 0.93) await node.checkpoint(random() < 0.5);
        else if (kind < 0.96) await run.move(random() < 0.6);
        else await run.crash(node.held + Math.floor(random() * (node.entries.length - node.held + 1)));
      }
      await run.finish();
      crashes += run.crashes;
      moves += run.moves;
      for (const what of run.wrong()) found.push(`seed ${seed}: ${what}`);
    }
    console.log(
      `outputs over crashes: ${seeds} seeds, ${crashes} crashes, ${moves} moves, ${found.length} failed`,
    );
    expect(found).toEqual([]);
  });
});
