/** Both sides of moving agents, as one part of a node: departures from here and arrivals from elsewhere (docs/spec/migration.md). */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { Coordination } from "@glia-os/abi/ports";
import { MigrationRefusedError, UnknownMemberError } from "../errors.ts";
import type { Links } from "../links/links.ts";
import type { CallHandler } from "../mesh-types.ts";
import type { PartContext } from "../part.ts";
import { Arrivals } from "./arrivals.ts";
import type { MeshCells } from "./cells-port.ts";
import { Departures } from "./departures.ts";
import { MOVE_METHODS, numberAnswer, readMove, readPages, readPlan } from "./messages.ts";
import { PagesServed } from "./pages-served.ts";
import type { MigrateOptions, MigrationReport } from "./phase.ts";

const DEADLINE_MS = 30_000;

/** What moves are made of. */
export interface MovesOptions {
  readonly context: PartContext;
  readonly cells: MeshCells;
  readonly coordination: Coordination;
  sessionId(): string;
  /** Whether this node takes part in no move now, because it sees no majority. */
  refused(): boolean;
  links(): Links | undefined;
  /** An agent arrived and runs here. */
  arrived(agent: AgentId): void;
}

/** The moves of one node. */
export class Moves {
  readonly #context: PartContext;
  readonly #departures: Departures;
  readonly #arrivals: Arrivals;
  readonly #pages: PagesServed | undefined;
  readonly #refused: () => boolean;

  constructor(options: MovesOptions) {
    const { context } = options;
    this.#context = context;
    this.#pages = buildPages(options);
    this.#departures = buildDepartures(options, this.#pages);
    this.#arrivals = buildArrivals(options);
    this.#refused = () => options.refused();
    for (const [method, handler] of this.#arrivals.methods())
      context.handle(method, method === MOVE_METHODS.plan ? this.#guardPlan(handler) : handler);
    const pages = this.#pages;
    if (pages !== undefined)
      context.handle(MOVE_METHODS.pages, (caller, body) => pages.answer(caller, readPages(body)));
    context.handle(MOVE_METHODS.status, async (_caller, body) =>
      numberAnswer(this.#departures.underWay(readMove(body)) ? 1 : 0),
    );
  }

  /** Move an agent of this node to a member that runs. */
  async migrate(agent: AgentId, to: NodeId, options?: MigrateOptions): Promise<MigrationReport> {
    const target = this.#context.member(to);
    if (target === undefined) throw new UnknownMemberError(to);
    if (target.state === "dead" || target.state === "left")
      throw new MigrationRefusedError(agent, `the destination is ${target.state}`);
    this.#refuseInMinority(agent);
    return this.#told(agent, to, () => this.#departures.migrate(agent, to, options));
  }

  /** Roll a move of an agent of this node back, if it is not committed: whether that was in time. @throws {NoMigrationError} */
  cancel(agent: AgentId): Promise<boolean> {
    return this.#departures.cancel(agent);
  }

  /** Agents that left by post-copy and need this node until they have all their pages. */
  get owed(): number {
    return this.#pages?.owed ?? 0;
  }

  /** Resolves when none of them needs this node any more, or after `timeoutMs`: whether none does. */
  async settled(timeoutMs: number): Promise<boolean> {
    return (await this.#pages?.settled(timeoutMs)) ?? true;
  }

  /** Tell that a move began and how it ended. */
  async #told(agent: AgentId, to: NodeId, move: () => Promise<MigrationReport>): Promise<MigrationReport> {
    this.#context.emit({ kind: "migrationBegan", agent, to });
    try {
      const report = await move();
      this.#context.emit({ kind: "migrationEnded", agent, to, report });
      return report;
    } catch (error) {
      this.#context.emit({ kind: "migrationEnded", agent, to, report: undefined });
      throw error;
    }
  }

  #guardPlan(plan: CallHandler): CallHandler {
    return async (caller, body) => {
      this.#refuseInMinority(readPlan(body).agent);
      return plan(caller, body);
    };
  }

  #refuseInMinority(agent: AgentId): void {
    if (this.#refused()) throw new MigrationRefusedError(agent, "this node sees no majority of the cluster");
  }

  /** End every move under way. */
  stop(): void {
    this.#departures.stop();
    this.#arrivals.stop();
    this.#pages?.stop();
  }
}

function buildPages({ context, cells }: MovesOptions): PagesServed | undefined {
  const { clock, timers } = context;
  return cells.postcopy && new PagesServed({ clock, timers, cells: cells.postcopy });
}

function buildDepartures(
  { context, cells, coordination, sessionId, links }: MovesOptions,
  pages: PagesServed | undefined,
): Departures {
  const { self, clock, timers, random, digests, settings } = context;
  return new Departures({
    self,
    clock,
    timers,
    random,
    digests,
    cells,
    pages,
    deadlineMs: settings.migrationDeadlineMs ?? DEADLINE_MS,
    coordination: () => coordination,
    sessionId,
    addressOf: (node) => context.member(node)?.address,
    call: (node, method, body, options) => context.call(node, method, body, options),
    onPhase: (agent, to, phase) => context.emit({ kind: "migrationPhase", agent, to, phase }),
    onLeaving: (moved) => links()?.leaving(moved),
    onMoved: (moved) => links()?.moved(moved),
    onResumed: (agent, epoch) => links()?.moved({ agent, epoch, owner: self, address: undefined }),
  });
}

function buildArrivals(options: MovesOptions): Arrivals {
  const { context, cells, coordination, sessionId, links } = options;
  const { self, clock, timers, digests } = context;
  return new Arrivals({
    self,
    clock,
    timers,
    digests,
    cells,
    coordination: () => coordination,
    sessionId,
    call: (node, method, body, options) => context.call(node, method, body, options),
    onLive: (agent, epoch) => {
      // Who came too early need not wait for the time that it was told.
      links()?.moved({ agent, epoch, owner: self, address: undefined });
      options.arrived(agent);
    },
  });
}
