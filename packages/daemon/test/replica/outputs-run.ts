/** A run of an agent with a replica that notes numbers, asks, publishes and has children, and what is to hold at its end. */
import type { AgentManifest } from "@glia-os/cells";
import { buildAgent } from "@glia-os/guest-js/build";
import { type Adopted, AGENT, envelope, type Heard, OutputsNode, type Peer, World } from "./outputs-world.ts";

const NOTES = 16;
const CLIENT = "client";

/** The agent, which waits while it has no replica. */
export async function clerkManifest(): Promise<AgentManifest> {
  const { bytes, grants } = await buildAgent({ entry: `${import.meta.dirname}/programs/clerk.ts` });
  return { name: "agent", program: bytes, memoryPages: 256, grants: [...grants, "replica/hold"] };
}

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

/** One run of the agent, over nodes that crash, and moves. */
export class Run {
  readonly world: World;
  readonly book: Peer;
  readonly listener: Peer;
  node: OutputsNode;
  readonly #seed: number;
  readonly #manifest: AgentManifest;
  #epoch = 1;
  crashes = 0;
  moves = 0;
  constructor(seed: number, manifest: AgentManifest) {
    this.#seed = seed;
    this.#manifest = manifest;
    this.world = new World(drawing(seed));
    this.book = this.world.peer("1", "book");
    this.world.peer("2", "mill").answers = ({ input }) => 2 * (input as { n: number }).n;
    this.listener = this.world.peer("3", "listener");
    this.world.hearers.set("news", [this.listener.id]);
    this.node = new OutputsNode(this.world, 1000 * seed);
  }

  async begin(): Promise<void> {
    await this.node.start(this.#manifest);
    for (let n = 1; n <= NOTES; n++) this.world.toAgent(CLIENT, tell("note", n));
  }

  /** The node is gone; its replica had this many entries. */
  async crash(position: number, as: Adopted = "running"): Promise<void> {
    this.crashes++;
    this.node.crash();
    const copy = this.node.copy(this.#manifest, Math.max(position, this.node.first));
    this.node = new OutputsNode(this.world, 1000 * this.#seed + this.crashes);
    await this.node.adopt(copy, ++this.#epoch, as);
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

  /** Its code is exchanged for the same code, while the world goes on; false when it was too busy. */
  async upgrade(): Promise<boolean> {
    const { node } = this;
    const { feeds } = node;
    const work = node.upgrades.upgrade(AGENT, { program: this.#manifest.program }).then(
      () => true,
      (error: unknown) => {
        if ((error as { code?: string }).code === "cells.upgrade-busy") return false;
        throw error;
      },
    );
    let over = false;
    const done = work.finally(() => {
      over = true;
    });
    done.catch(() => undefined);
    while (!over) {
      // What the new code says is not held before there is a copy of it.
      if (node.feeds === feeds) node.hold(node.entries.length);
      await node.pass(200);
      await node.exchange();
    }
    return done;
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
