/**
 * An agent with a replica that speaks with others, on nodes that crash at chosen entries of its log: the shipped runner, gates and desks, with a network
 * that loses answers. Those it speaks with are here and never crash.
 */
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { Http, Logger, Timers } from "@glia-os/abi/ports";
import { RIGHTS } from "@glia-os/abi/syscalls";
import {
  type AgentManifest,
  CellGate,
  type CellGatePort,
  CellRunner,
  type CellService,
  CellUpgrades,
  type Copy,
  encodeManifest,
  ReplicaGate,
  type ReplicaPort,
} from "@glia-os/cells";
import { encodeEnvelope } from "@glia-os/cells/agent";
import type { Kernel } from "@glia-os/kernel";
import { httpService } from "@glia-os/kernel/services";
import { createTestKernel } from "@glia-os/kernel/testing";
import { type AgentLinkEvents, type CarriedLink, LinkTable, type OutgoingLink } from "@glia-os/mesh-core";
import { createWasmEngine, encodeSnapshot, SnapshotDecoder } from "@glia-os/wasm";
import { agentsService } from "../../src/agents/agents-service.ts";
import { hostMessage } from "../../src/agents/host-message.ts";
import { checkpointCodec } from "../../src/replica/checkpoint-codec.ts";
import { baggageOf } from "../../src/replica/office-for-replicas.ts";
import { RecordedOffice } from "../../src/replica/recorded-office.ts";

/** How an agent is taken over: it runs its record again, it is suspended, or it is about to run, and nothing of it is copied. */
export type Adopted = "running" | "suspended" | "not yet";

/** The agent. */
export const AGENT = "ab".repeat(16) as AgentId;
const NODE = "cd".repeat(32) as NodeId;
/** Upgrades look this often whether the agent rests; longer times never end here. */
const AGAIN_MS = 2;
/** One for all nodes, which compiles a module once. */
const ENGINE = createWasmEngine();
const NOBODY = {
  pack: () => undefined,
  stays: () => undefined,
  stage: () => undefined,
  runs: () => undefined,
  gone: () => undefined,
};
const quiet: Logger = {
  log: (level, message, fields) => {
    if (process.env["GLIA_TEST_LOG"] === "1") console.log(level, message, fields);
  },
  child: () => quiet,
};

/** An envelope as bytes. */
export function envelope(of: Parameters<typeof encodeEnvelope>[0]): Uint8Array {
  return new TextEncoder().encode(encodeEnvelope(of));
}

/** An envelope as it came to somebody. */
export interface Heard {
  readonly kind: string;
  readonly message: string;
  readonly correlation: number;
  readonly input: unknown;
}

/** Somebody the agent speaks with. */
export class Peer {
  readonly id: AgentId;
  readonly heard: Heard[] = [];
  readonly table = new LinkTable();
  readonly name: string;
  answers: ((heard: Heard) => unknown) | undefined;

  constructor(id: string, name: string) {
    this.id = id as AgentId;
    this.name = name;
  }
}

/** Messages to the agent on one link, until each is accepted and held. */
interface ToAgent {
  readonly link: string;
  readonly queue: Uint8Array[];
  sent: number;
}

/** Everything that outlives a node. */
export class World {
  readonly peers = new Map<AgentId, Peer>();
  readonly names = new Map<string, AgentId>();
  readonly hearers = new Map<string, AgentId[]>();
  readonly inbound = new Map<string, ToAgent>();
  readonly wrong: string[] = [];
  readonly random: () => number;
  children = 0;
  /** Nodes that were ever. */
  nodes = 0;
  /** Replies of the agent that left. */
  readonly replies: string[] = [];
  /** What its nodes reach over HTTP. */
  http: Http | undefined;
  /** Where the agent is. */
  node: OutputsNode | undefined;

  constructor(random: () => number) {
    this.random = random;
  }

  peer(digit: string, name: string): Peer {
    const peer = new Peer(digit.repeat(32), name);
    this.peers.set(peer.id, peer);
    this.names.set(name, peer.id);
    return peer;
  }

  /** Have a message sent to the agent on a link of its own sender. */
  toAgent(link: string, payload: Uint8Array): void {
    const line = this.inbound.get(link) ?? { link, queue: [], sent: 0 };
    this.inbound.set(link, line);
    line.queue.push(payload);
  }

  /** One message of a link of the agent; its verdict. */
  offered(to: AgentId, link: string, seq: number, payload: Uint8Array): string {
    if (to === AGENT) return this.#toItself(link, seq, payload);
    const peer = this.peers.get(to);
    if (peer === undefined) return "unknown";
    const { kind } = peer.table.offer(link, seq, 0, false);
    if (kind !== "accepted") return kind;
    const heard = JSON.parse(new TextDecoder().decode(payload)) as Heard;
    peer.heard.push(heard);
    const { correlation } = heard;
    if (heard.kind === "ask" && peer.answers !== undefined) {
      const input = peer.answers(heard);
      this.toAgent(
        to,
        envelope({ kind: "reply", from: { id: to, name: peer.name }, correlation, message: "", input }),
      );
    }
    return kind;
  }

  /** What is not held yet is not acknowledged. */
  #toItself(link: string, seq: number, payload: Uint8Array): string {
    const message = { agent: AGENT, link, seq, floor: 0, ask: false, payload, from: NODE };
    const verdict = this.node?.gate.deliver(message);
    return verdict === undefined || !("next" in verdict) || verdict.kept !== undefined
      ? "retry"
      : verdict.kind;
  }
}

function httpOf(kernel: Kernel, { http }: World): readonly CellService[] {
  return http === undefined
    ? []
    : [{ name: "http", handle: kernel.service(httpService(http)), rights: RIGHTS.exec }];
}

/** A link of a node that is there: everything not acknowledged is sent at each turn. */
class WorldLink implements OutgoingLink {
  readonly link: string;
  readonly #to: AgentId;
  readonly #world: World;
  readonly #events: AgentLinkEvents;
  #held: Uint8Array[];
  #next: number;
  over = false;

  constructor(world: World, to: AgentId, events: AgentLinkEvents, { link, held, next }: CarriedLink) {
    [this.link, this.#to, this.#world, this.#events] = [link, to, world, events];
    [this.#held, this.#next] = [[...held], next];
  }

  get unacknowledged(): number {
    return this.#held.length;
  }

  offer(payload: Uint8Array): boolean {
    this.#held.push(payload);
    this.#next++;
    return true;
  }

  carryAway(): CarriedLink {
    this.over = true;
    return { agent: this.#to, link: this.link, next: this.#next, attempts: 7, held: this.#held };
  }

  close(): void {
    this.over = true;
  }

  turn(): void {
    const first = this.#next - this.#held.length;
    let accepted = 0;
    for (const [at, payload] of this.#held.entries()) {
      const verdict = this.#world.offered(this.#to, this.link, first + at, payload);
      if (verdict === "unknown") {
        this.over = true;
        this.#events.onBroken(new RangeError("nobody"));
        return;
      }
      if (verdict === "retry") break;
      if (verdict === "gap") this.#world.wrong.push(`a gap at ${this.#to[0]}`);
      accepted++;
      if (this.#world.random() < 0.3) break;
    }
    // Some are accepted, and the sender never hears of it.
    if (this.#world.random() < 0.4) return;
    this.#held.splice(0, accepted);
    if (accepted > 0) this.#events.onProgress();
  }
}

/** One node, until it crashes. */
export class OutputsNode {
  readonly gate: CellGate;
  readonly entries: { readonly entry: Uint8Array; readonly atMs: number }[] = [];
  readonly ends: unknown[] = [];
  readonly office: RecordedOffice;
  readonly replicas: ReplicaGate;
  readonly upgrades: CellUpgrades;
  readonly #kernel: ReturnType<typeof createTestKernel>;
  readonly #world: World;
  readonly #links = new Set<WorldLink>();
  readonly #checkpoints: {
    position: number;
    whole: boolean;
    head: Uint8Array;
    parts: Uint8Array[];
    atMs: number;
  }[] = [];
  held = 0;
  /** Feeds that began, and the entries that were given before the last of them. */
  feeds = 0;
  feedFrom = 0;
  #dead = false;

  constructor(world: World, seed: number) {
    this.#world = world;
    world.node = this;
    this.#kernel = createTestKernel(seed);
    const { kernel, clock } = this.#kernel;
    // No two nodes see the same time.
    clock.advanceTo(clock.monotonicMs() + ++world.nodes * 397);
    const timers: Timers = { schedule: () => ({ cancel: () => undefined }) };
    const late: { port?: CellGatePort & ReplicaPort } = {};
    const gate: CellGatePort = {
      taken: (...call) => late.port?.taken(...call),
      replied: (...call) => late.port?.replied(...call),
      ended: (...call) => late.port?.ended(...call),
    };
    const agents = agentsService({
      ...{ kernel, timers },
      cellOf: (task) => runner.cellOf(task),
      acted: () => world.wrong.push("acts left that are in no record"),
    });
    const runner: CellRunner = new CellRunner({
      ...{ kernel, clock, timers, logger: quiet, engine: ENGINE, gate },
      codec: {
        encode: (image) => encodeSnapshot(image),
        decoder: (imageBytes) => new SnapshotDecoder({ imageBytes }),
      },
      replication: {
        codec: checkpointCodec,
        port: {
          inputs: (...call) => late.port?.inputs(...call),
          wantsHeld: (...call) => late.port?.wantsHeld(...call),
          checkpointed: (...call) => late.port?.checkpointed(...call),
        },
      },
      services: [agents.service, ...httpOf(kernel, world)],
    });
    this.replicas = new ReplicaGate(runner, clock);
    this.office = this.#office(seed, agents.released, timers);
    this.replicas.send(this.office);
    const cells = new CellGate({
      runner: this.replicas.runner(),
      clock,
      baggage: baggageOf(NOBODY, this.office),
      events: this.replicas.events({
        replyReady: (_, __, payload) => void world.replies.push(new TextDecoder().decode(payload)),
        cellEnded: (_, __, end) => void this.ends.push(end),
      }),
    });
    late.port = this.replicas.port(cells);
    this.gate = this.replicas.cells(cells);
    const soon: Timers = {
      schedule: (delayMs, run) => {
        if (delayMs <= AGAIN_MS) setImmediate(run);
        return { cancel: () => undefined };
      },
    };
    this.upgrades = new CellUpgrades({
      gate: this.gate,
      runner,
      replicas: this.replicas,
      clock,
      timers: soon,
    });
    this.replicas.bind({ begin: () => this.#feed(), end: () => undefined });
  }

  #office(seed: number, released: (agent: AgentId, weight: number) => void, timers: Timers): RecordedOffice {
    const world = this.#world;
    let drawn = seed;
    return new RecordedOffice({
      ...{ timers, logger: quiet, released },
      random: { bytes: (target: Uint8Array) => target.fill(++drawn), uint32: () => ++drawn } as never,
      held: () => undefined,
      open: (to, events, carried) => {
        const link = new WorldLink(world, to, events, carried);
        this.#links.add(link);
        return link;
      },
      findName: async (name) => world.names.get(name),
      find: async (name) => world.names.get(name) ?? null,
      spawn: async (_parent, _request, { suffix }) => {
        const known = world.names.get(`child.${suffix}`);
        if (known === undefined) world.children++;
        const id = known ?? (`c${suffix.slice(1)}` as AgentId);
        world.names.set(`child.${suffix}`, id);
        return { id, name: `child.${suffix}` };
      },
      subscribers: async (topic) => new Set(world.hearers.get(topic)),
      tell: (_agent, payload) => {
        if (!this.#dead) world.toAgent(`node ${seed}`, payload);
      },
      returned: () => undefined,
      familyOf: () => ({ parent: undefined, children: [] }),
      tellFamily: () => undefined,
      remember: () => undefined,
    });
  }

  /** Run a new agent. */
  async start(manifest: AgentManifest): Promise<void> {
    const begin = hostMessage({ host: "begin", self: { id: AGENT, name: "agent" } });
    await this.gate.start(AGENT, 1 as Epoch, manifest, begin);
    await this.run();
    await this.checkpoint(true);
  }

  /** Ask it, on a link of its own. */
  ask(seq: number, text: string): void {
    const payload = new TextEncoder().encode(text);
    const link = "a5".repeat(16);
    this.gate.deliver({ agent: AGENT, link, seq, floor: 0, ask: true, payload, from: NODE });
  }

  /** Run what can run now. */
  async run(): Promise<void> {
    for (let turns = 0; turns < 6; turns++) {
      while (this.#kernel.kernel.runSlice() === "more");
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async pass(durationMs: number): Promise<void> {
    this.#kernel.clock.advanceTo(this.#kernel.clock.monotonicMs() + durationMs);
    await this.run();
  }

  /** The network has a turn: links of the agent, and messages to it. */
  async exchange(): Promise<void> {
    for (const link of [...this.#links]) {
      if (link.over) this.#links.delete(link);
      else link.turn();
    }
    for (const line of this.#world.inbound.values()) this.#bring(line);
    await this.run();
  }

  #bring(line: ToAgent): void {
    const { link, queue } = line;
    const id = [...link]
      .map((one) => one.charCodeAt(0).toString(16))
      .join("")
      .slice(0, 32)
      .padEnd(32, "0");
    for (const [at, payload] of queue.entries()) {
      const verdict = this.gate.deliver({
        agent: AGENT,
        link: id,
        seq: line.sent + at + 1,
        floor: 0,
        ask: false,
        payload,
        from: NODE,
      });
      if (!("next" in verdict)) return;
      const kept = (verdict as { readonly kept?: Promise<unknown> }).kept ?? Promise.resolve();
      const accepted = line.sent + at + 1;
      kept.then(
        () => {
          if (this.#dead || line.sent >= accepted) return;
          line.queue.splice(0, accepted - line.sent);
          line.sent = accepted;
        },
        () => undefined,
      );
    }
  }

  /** The replica has everything up to here, and says so. */
  hold(position: number): void {
    this.held = Math.max(this.held, position);
    this.replicas.get(AGENT)?.held(this.held);
  }

  /** Entries that are in the first checkpoint. */
  get first(): number {
    return this.#checkpoints[0]?.position ?? 0;
  }

  async checkpoint(whole: boolean): Promise<void> {
    const { position, head, chunks } = await this.replicas.checkpoint(AGENT, whole);
    const parts: Uint8Array[] = [];
    for (let part = await chunks(); part !== undefined; part = await chunks()) parts.push(part.slice());
    this.#checkpoints.push({ position, whole, head, parts, atMs: this.#kernel.clock.monotonicMs() });
  }

  /** Move the agent to another node, or nearly: then it goes on here. */
  async move(next: OutputsNode, epoch: number, commits: boolean): Promise<void> {
    const meta = this.gate.describe(AGENT)?.meta as Uint8Array;
    const freezing = this.gate.freeze(AGENT);
    await this.run();
    await next.gate.stage(AGENT, meta, await freezing);
    if (commits) {
      await this.gate.retire(AGENT, { agent: AGENT, epoch: epoch as Epoch, owner: NODE, address: undefined });
      this.crash();
      await next.gate.activate(AGENT, epoch as Epoch);
      await next.run();
      await next.checkpoint(true);
      next.hold(next.entries.length);
      return;
    }
    this.#world.node = this;
    await next.gate.discard(AGENT);
    next.crash();
    await this.gate.thaw(AGENT, epoch as Epoch);
    await this.run();
  }

  /** Gone, with all it did not say. */
  crash(): void {
    this.#dead = true;
    for (const link of this.#links) link.over = true;
    this.#links.clear();
  }

  /** What a replica has that got this many entries. */
  copy(manifest: AgentManifest, position: number): Copy {
    const had = this.#checkpoints.filter((one) => one.position <= position);
    const from = had.findLastIndex((one) => one.whole);
    const [base, ...increments] = had.slice(from);
    const last = had.at(-1);
    if (base === undefined || last === undefined) throw new RangeError("there is no checkpoint");
    return {
      meta: encodeManifest(manifest),
      head: last.head,
      pointAtMs: last.atMs,
      whole: base.parts,
      increments: increments.map(({ parts }) => parts),
      log: this.entries.slice(last.position, position),
    };
  }

  /** Go on with a copy. */
  async adopt(copy: Copy, epoch: number, as: Adopted = "running"): Promise<void> {
    await this.replicas.adopt(AGENT, copy, epoch as Epoch, as === "suspended");
    if (as === "not yet") return;
    if (as === "running") await this.run();
    await this.checkpoint(true);
    this.hold(this.entries.length);
  }

  #feed(): {
    append(entry: Uint8Array): number;
    readonly position: number;
    readonly ready: boolean;
    readonly full: boolean;
  } {
    const { entries } = this;
    const { clock } = this.#kernel;
    this.feeds++;
    this.feedFrom = entries.length;
    return {
      append: (entry) => entries.push({ entry, atMs: clock.monotonicMs() }),
      get position() {
        return entries.length;
      },
      ready: true,
      full: false,
    };
  }
}
