/**
 * One run of a WebAssembly agent that moves among nodes with rights and timers, under cuts and crashes drawn from the seed.
 *
 * G6. After a move the agent's rights are a part of what they were: what a node does not offer is lost, comes back nowhere, and neither does
 *     what was given up or derived with less. Its handles work at once.
 * G10. An agent that was paused makes no call until it is resumed, wherever it moves meanwhile, and its row says that it is suspended.
 * G9. Every timer of the agent fires once, in order, and never before its time was over; time on the way does not count against it.
 */
import type { AgentId } from "@glia-os/abi/ids";
import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import { SeededRandom } from "@glia-os/mesh-core/testing";
import { type CellNode, type CompiledProgram, compileGuest, MovingCells } from "./moving-cells.ts";

const NODES = 4;
const ROUNDS = 6;
const AGENT = "ab".repeat(16) as AgentId;
const GIVES_UP_AT = 8;

/** Sleeps, then tells its number, the rights of its three capabilities, and whether the two that must not fetch were refused. */
const SOURCE = `import { Capability, Rights, sleep } from "@glia-os/guest-as/assembly";
export function glia_main(): i32 {
  const all = Capability.named("log")!;
  const exec = all.attenuate(Rights.EXEC)!;
  const read = all.attenuate(Rights.READ)!;
  let n = 0;
  while (true) {
    n++;
    sleep(100 + (n % 5) * 170);
    if (n == ${GIVES_UP_AT}) all.drop();
    const strange = read.fetch("read") !== null || (n >= ${GIVES_UP_AT} && all.fetch("dropped") !== null);
    const rights = all.rights.toString() + " " + exec.rights.toString() + " " + read.rights.toString();
    exec.fetch(n.toString() + " " + rights + " " + (strange ? "1" : "0"));
  }
}`;

const sleepMs = (n: number): number => 100 + (n % 5) * 170;
let program: Promise<CompiledProgram> | undefined;

class MovingCellsRun {
  readonly #cells: MovingCells;
  readonly #random: SeededRandom;
  #offers: readonly Rights[] = [];
  #wrong: string | undefined;
  /** Calls when the agent was paused last. */
  #calledBefore = 0;

  constructor(seed: number, compiled: CompiledProgram) {
    this.#cells = new MovingCells(seed, compiled);
    this.#random = new SeededRandom(seed).fork("moving");
  }

  async violation(): Promise<string | undefined> {
    const { time } = this.#cells;
    this.#offers = Array.from({ length: NODES }, () => this.#offer());
    await this.#cells.start(this.#offers);
    const [first] = this.#cells.nodes.slice(1);
    await this.#cells.spawn(AGENT, first as CellNode);
    for (let round = 0; round < ROUNDS; round++) {
      await time.advance(this.#random.uint32() % 1500);
      const paused = this.#random.uint32() % 3 === 0 ? await this.#pause() : undefined;
      await this.#move();
      if (paused !== undefined) await this.#resume(paused);
    }
    await time.advance(5000); // An agent that is staged asks the registry, and arrives.
    const last = this.#owner();
    if (last?.gate.stands(AGENT)?.state === "suspended") await time.settle(last.gate.resume(AGENT));
    const before = this.#cells.calls.length;
    await time.advance(5000);
    if (this.#owner() !== undefined && this.#cells.calls.length === before)
      this.#note("G9: the agent's timers do not fire any more");
    this.#check();
    for (const { mesh, process } of this.#cells.nodes) if (process.running) await time.settle(mesh.stop());
    return this.#wrong;
  }

  /** All can execute; the rest differs, so that moves lose some of it. */
  #offer(): Rights {
    const some = [RIGHTS.read, RIGHTS.write, RIGHTS.grant].filter(() => this.#random.uint32() % 4 > 0);
    return some.reduce<number>((rights, one) => rights | one, RIGHTS.exec) as Rights;
  }

  #owner(): CellNode | undefined {
    return this.#cells.nodes.find(
      ({ gate, process }) => process.running && gate.describe(AGENT) !== undefined,
    );
  }

  /** The node on which the agent stands still now. */
  async #pause(): Promise<CellNode | undefined> {
    const owner = this.#owner();
    if (owner === undefined) return undefined;
    // It may stand still from before: a move can take longer than its run, and come to an end later.
    if (owner.gate.stands(AGENT)?.state === "running") await this.#cells.time.settle(owner.gate.pause(AGENT));
    this.#calledBefore = this.#cells.calls.length;
    return owner;
  }

  /** (G10) */
  async #resume(from: CellNode): Promise<void> {
    const { time, calls, coordination } = this.#cells;
    await time.advance(3000);
    if (calls.length !== this.#calledBefore) this.#note("G10: a paused agent made a call");
    const owner = this.#owner();
    if (owner === undefined) return;
    const row = await coordination.getAgent(AGENT);
    if (owner !== from && row?.status !== "suspended")
      this.#note("G10: the row of a paused agent that moved does not say that it is suspended");
    if (owner.gate.stands(AGENT)?.state === "suspended") await time.settle(owner.gate.resume(AGENT));
    else this.#note("G10: a paused agent does not stand still");
  }

  async #move(): Promise<void> {
    const source = this.#owner();
    const others = this.#cells.nodes.filter((node) => node !== source && node.process.running);
    const to = others[this.#random.uint32() % others.length];
    if (source === undefined || to === undefined) return;
    const { network, time } = this.#cells;
    const kind = this.#random.uint32() % 6;
    const after = network.delivered + (this.#random.uint32() % 30);
    network.onDelivery = (_, index) => {
      if (index !== after) return true;
      if (kind === 0) network.breakSessions(source.id, to.id);
      else if (kind === 1) network.partition([to.id]);
      else if (kind === 2) network.partition([source.id]);
      else if (kind === 3 && to !== this.#cells.nodes[0]) to.process.crash();
      return true;
    };
    let done = false;
    const settle = (): void => {
      done = true;
    };
    source.mesh.migrate(AGENT, to.id).then(settle, settle);
    await time.advanceUntil(() => done, 40_000);
    network.onDelivery = undefined;
    network.heal();
    await time.advanceUntil(() => done, 120_000);
    if (!done) this.#note("G4: a move neither came to its end nor gave up");
  }

  #check(): void {
    const { calls, ended } = this.#cells;
    if (ended.length > 0) this.#note(`the agent ended: ${ended.join()}`);
    let before = [-1, -1, -1];
    let doneMs = 0;
    for (const [index, { node, text, atMs, doneMs: end }] of calls.entries()) {
      const numbers = text.split(" ").map(Number);
      const [n = 0, ...rest] = numbers;
      const strange = rest.pop();
      if (n !== index + 1) this.#note(`G9: timer ${n} fired as number ${index + 1}`);
      if (atMs < doneMs + sleepMs(n))
        this.#note(`G9: timer ${n} fired ${atMs - doneMs} ms after the one before`);
      if (strange !== 0) this.#note(`G6: at ${n} a capability did what it has no right to`);
      const gone = n >= GIVES_UP_AT;
      for (const [at, rights] of rest.entries()) {
        const had = before[at] ?? -1;
        if (gone && at === 0 ? rights >= 0 : (rights & had) !== rights)
          this.#note(`G6: at ${n} capability ${at} has the rights ${rights}, before ${had}`);
        if (rights >= 0 && (rights & ~(this.#offers[node] ?? 0)) !== 0)
          this.#note(
            `G6: at ${n} capability ${at} has the rights ${rights}, which node ${node} does not offer`,
          );
      }
      before = rest;
      doneMs = end;
    }
  }

  #note(what: string): void {
    this.#wrong ??= what;
  }
}

/** What does not hold for a seed; undefined when all does. */
export async function movingCellsViolation(seed: number): Promise<string | undefined> {
  program ??= compileGuest(SOURCE);
  return new MovingCellsRun(seed, await program).violation();
}
