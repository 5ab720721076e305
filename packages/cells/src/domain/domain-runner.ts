/**
 * The runner of a node's durable cells (docs/spec/domain-cell.md): TypeScript programs that run as durable domains, whose journal is their state.
 *
 * DR1. A message is kept before it is acknowledged, and a reply leaves after what led to it is kept.
 * DR2. A cell moves by its journal: sealed segments cross while it runs, the rest while it stands still. The source's journal is removed when the
 *      cell is dropped there, which is after the commit; until then it goes on from it.
 * DR3. A cell that uses something immovable is not frozen to leave, and the refusal names it.
 * DR4. A cell with a call out that may happen once only is not frozen before the outcome is known.
 * DR5. A cell is of the code that its journal says (domain-upgrades.ts).
 */
import { type AgentId, toHex } from "@glia-os/abi/ids";
import type { DurableProgram } from "@glia-os/durable";
import type { LinkId } from "@glia-os/mesh-core";
import { type AgentManifest, decodeManifest, encodeManifest } from "../agent-manifest.ts";
import { servicesFor } from "../cell-services.ts";
import {
  AlreadyHereError,
  BadBundleError,
  ImmovableCapabilityError,
  NotHereError,
  NoYieldError,
} from "../errors.ts";
import type { KeptCells, KeptMail, StoredCell, UnreadCell } from "../kept-cells.ts";
import type { CellEnd, CellRunnerPort, CellVitals, FrozenMail, MailItem } from "../runner-port.ts";
import type { KeptUpgrade, KeptUpgradePort } from "../upgrade/upgrade-port.ts";
import type { CellNote } from "./cell-act.ts";
import { CELL_SERVICE } from "./cell-service.ts";
import { type CellCode, DomainCell } from "./domain-cell.ts";
import { AGENTS_GRANT, type DomainRunnerOptions, type DomainService } from "./domain-options.ts";
import { DomainUpgrades, settledCell } from "./domain-upgrades.ts";

/** How often a cell with a call out is looked at that is to stop, in milliseconds. */
const LOOK_AGAIN_MS = 1;

/** The durable cells of one thread. */
export class DomainRunner implements CellRunnerPort, KeptCells, KeptUpgradePort {
  readonly #o: DomainRunnerOptions;
  readonly #cells = new Map<AgentId, DomainCell>();
  readonly #upgrades: DomainUpgrades;

  constructor(options: DomainRunnerOptions) {
    this.#o = options;
    const { store, clock, timers, logger } = options;
    this.#upgrades = new DomainUpgrades({
      store,
      clock,
      timers,
      logger,
      cellOf: (agent) => this.#here(agent),
      load: (manifest) => this.#load(manifest),
      hashOf: (bytes) => this.#hashOf(bytes),
    });
  }

  /** Whether a cell is here, in whatever state. */
  has(agent: AgentId): boolean {
    return this.#cells.has(agent);
  }

  async admit(program: Uint8Array, grants: readonly string[]): Promise<string> {
    const hash = this.#hashOf(program);
    this.#checkUses(await this.#o.loader.load(program, hash), this.#servicesFor(grants));
    return hash;
  }

  async start(agent: AgentId, manifest: AgentManifest, first?: Uint8Array): Promise<void> {
    const cell = await this.#add(agent, manifest);
    try {
      await this.#o.store.put({ agent, meta: encodeManifest(manifest) });
      await cell.run(first);
    } catch (error) {
      await this.drop(agent);
      throw error;
    }
  }

  async recover(agent: AgentId, manifest: AgentManifest): Promise<void> {
    const cell = await this.#add(agent, manifest);
    try {
      await cell.run();
    } catch (error) {
      this.#cells.delete(agent);
      throw error;
    }
  }

  deliver(agent: AgentId, item: MailItem): void {
    this.accept(agent, { ...item, floor: 0, closed: [] }).catch(() => undefined);
  }

  accept(agent: AgentId, item: KeptMail): Promise<void> {
    const cell = this.#cells.get(agent);
    return cell === undefined ? Promise.reject(new NotHereError(agent)) : cell.accept(item);
  }

  /** What the node tells a cell that talks to others: up to which number a link was acknowledged, and notes. One-way; for one that is not here nothing. */
  settled(agent: AgentId, link: LinkId, upTo: number): void {
    this.#cells.get(agent)?.talk.settled(link, upTo);
  }

  noted(agent: AgentId, note: CellNote): void {
    this.#cells.get(agent)?.talk.noted(note);
  }

  async links(agent: AgentId): Promise<Uint8Array> {
    return this.#here(agent).links();
  }

  async freeze(agent: AgentId, timeoutMs: number, leaves = true): Promise<FrozenMail> {
    const cell = this.#here(agent);
    if (cell.immovable.length > 0 && leaves) throw new ImmovableCapabilityError(agent, cell.immovable);
    for (const untilMs = this.#nowMs() + timeoutMs; cell.busy; ) {
      if (this.#nowMs() >= untilMs) throw new NoYieldError(agent, timeoutMs);
      await new Promise<void>((resolve) => this.#o.timers.schedule(LOOK_AGAIN_MS, resolve));
    }
    if (!cell.running) cell.stopAhead();
    await cell.stop();
    return { mailbox: [], asker: undefined, received: cell.received, sleepMs: undefined };
  }

  async readAhead(agent: AgentId): Promise<Uint8Array | undefined> {
    const cell = this.#here(agent);
    if (cell.immovable.length > 0) throw new ImmovableCapabilityError(agent, cell.immovable);
    return await cell.readAhead();
  }

  async stopAhead(agent: AgentId): Promise<void> {
    this.#cells.get(agent)?.stopAhead();
  }

  async readImage(agent: AgentId): Promise<Uint8Array | undefined> {
    return await this.#here(agent).readRest();
  }

  async thaw(agent: AgentId): Promise<void> {
    const cell = this.#here(agent);
    if (!cell.running) await cell.run();
  }

  async expect(agent: AgentId, manifest: AgentManifest): Promise<void> {
    const cell = await this.#add(agent, manifest);
    await cell.expect();
    await this.#o.store.put({ agent, meta: encodeManifest(manifest) });
  }

  async stage(agent: AgentId): Promise<void> {
    this.#here(agent);
  }

  async writeImage(agent: AgentId, chunk: Uint8Array): Promise<void> {
    await this.#here(agent).take(chunk);
  }

  async finishImage(agent: AgentId, _mail: FrozenMail): Promise<void> {
    await this.#here(agent).complete();
  }

  /** What can fail of it was tried by {@link finishImage}: so nobody waits for the record that it goes on. What fails all the same ends the cell. */
  async activate(agent: AgentId): Promise<void> {
    const cell = this.#here(agent);
    cell.run().catch((error: unknown) => this.#ended(cell, failedBy(error)));
  }

  async drop(agent: AgentId): Promise<void> {
    const cell = this.#cells.get(agent);
    if (cell === undefined) return;
    this.#cells.delete(agent);
    await this.#o.store.remove(agent);
    await cell.remove();
  }

  async vitals(agent: AgentId): Promise<CellVitals | undefined> {
    const cell = this.#cells.get(agent);
    if (cell === undefined) return undefined;
    const { received, waiting, program } = cell;
    const programHash = program.version ?? "";
    const memoryBytes = (await this.#o.journal.head(agent))?.bytes ?? 0;
    return { received, waiting, memoryBytes, programHash };
  }

  async stored(unread?: UnreadCell): Promise<readonly StoredCell[]> {
    const cells: StoredCell[] = [];
    for (const cell of await this.#o.store.list(unread)) {
      if (this.#cells.has(cell.agent)) continue;
      const { next } = cell;
      if (next === undefined) {
        cells.push(cell);
        continue;
      }
      try {
        cells.push(await settledCell({ ...cell, next }, this.#o, (bytes) => this.#hashOf(bytes)));
      } catch (error) {
        if (unread === undefined) throw error;
        unread(cell.agent, error);
      }
    }
    return cells;
  }

  async upgradeKept(agent: AgentId, manifest: AgentManifest, timeoutMs: number): Promise<KeptUpgrade> {
    return await this.#upgrades.upgrade(agent, manifest, timeoutMs);
  }

  async forget(agent: AgentId): Promise<void> {
    if (this.#cells.has(agent)) return;
    await this.#o.store.remove(agent);
    await this.#o.journal.remove(agent);
  }

  /** Stop every cell where nothing is lost. */
  async close(): Promise<void> {
    await Promise.all([...this.#cells.values()].map((cell) => cell.stop()));
    this.#cells.clear();
  }

  #nowMs(): number {
    return this.#o.clock.monotonicMs();
  }

  #here(agent: AgentId): DomainCell {
    const cell = this.#cells.get(agent);
    if (cell === undefined) throw new NotHereError(agent);
    return cell;
  }

  #hashOf(bytes: Uint8Array): string {
    return toHex(this.#o.digests.sha256(bytes));
  }

  async #add(agent: AgentId, manifest: AgentManifest): Promise<DomainCell> {
    if (this.#cells.has(agent)) throw new AlreadyHereError(agent);
    const code = await this.#load(manifest);
    if (this.#cells.has(agent)) throw new AlreadyHereError(agent);
    const cell: DomainCell = new DomainCell(agent, code, this.#o, (how) =>
      this.#ended(cell, how.failed ? failedBy(how.error) : { kind: "finished", status: 0 }),
    );
    this.#cells.set(agent, cell);
    return cell;
  }

  async #load(manifest: AgentManifest): Promise<CellCode> {
    const hash = this.#hashOf(manifest.program);
    const services = this.#servicesFor(manifest.grants);
    const program = { ...(await this.#o.loader.load(manifest.program, hash)), version: hash };
    this.#checkUses(program, services);
    return { manifest, program, services };
  }

  /** The journal of a cell that ended stays until its row says so too (`forget`). */
  #ended(cell: DomainCell, end: CellEnd): void {
    if (this.#cells.get(cell.agent) !== cell) return;
    this.#cells.delete(cell.agent);
    this.#o.gate.ended(cell.agent, end);
  }

  /** Talking to others is no service that a program gets a handle of. */
  #servicesFor(grants: readonly string[]): readonly DomainService[] {
    const isTalk = (grant: string): boolean => grant === AGENTS_GRANT && this.#o.desks !== undefined;
    return servicesFor(
      grants.filter((grant) => !isTalk(grant)),
      this.#o.services,
    );
  }

  /** A program uses nothing that its manifest does not grant. @throws {BadBundleError} */
  #checkUses({ uses = [] }: Pick<DurableProgram, "uses">, granted: readonly DomainService[]): void {
    const missing = uses.filter((use) => use !== CELL_SERVICE && !granted.some(({ name }) => name === use));
    if (missing.length > 0)
      throw new BadBundleError(`it uses ${missing.join(", ")}, which its grants do not name (service/NAME)`);
  }
}

function failedBy(error: unknown): CellEnd {
  return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
}

/** The manifest of a stored cell. @throws {BadManifestError} */
export function manifestOf({ meta }: StoredCell): AgentManifest {
  return decodeManifest(meta);
}
