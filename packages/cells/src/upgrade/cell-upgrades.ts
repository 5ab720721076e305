/**
 * Upgrades of running cells on their gate's side (docs/spec/upgrade.md): the code of an agent is exchanged, and everything else of it stays.
 *
 * CU1. While the cell stands still its senders are asked to try again (CG3), so no message is refused, and none is lost or applied twice: mailbox,
 *      link table, epoch and baggage are the ones from before.
 * CU2. Until the runner has committed, every failure leaves the cell as it was, and it goes on. From then on it is the new code.
 * CU3. A cell in the middle of a message is asked to begin no other, and is tried again until it rests or the time is over.
 * CU4. What the old code of a cell with a replica said has left before the code is exchanged; the replica has the old cell or the new one, whole.
 * CU5. The code before the last upgrade here is kept, for {@link CellUpgrades.rollback}. It stays behind when the cell moves.
 * CU6. A durable cell is not stopped: its code is exchanged between two records of its journal, which has both its mail and its link table.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { Clock, Timers } from "@glia-os/abi/ports";
import { type AgentManifest, checkManifest, decodeManifest, encodeManifest } from "../agent-manifest.ts";
import type { CellGate } from "../cell-gate.ts";
import { type CellState, transition } from "../cell-state.ts";
import { IllegalTransitionError, NoYieldError, ProgramsRefusedError } from "../errors.ts";
import { FIRST, type GateCell } from "../gate-cell.ts";
import { checkReplicable, isReplicaGrant } from "../replica/grants.ts";
import type { ReplicaGate } from "../replica/replica-gate.ts";
import type { CellRunnerPort, FrozenMail, MailItem } from "../runner-port.ts";
import { NoEarlierCodeError, UpgradeBusyError } from "./errors.ts";
import type { KeptUpgradePort, PreparedUpgrade, UpgradeRunnerPort } from "./upgrade-port.ts";
import { type CodeVersion, holdMessage } from "./upgrade-words.ts";

/** How long an agent may take to come to rest between two messages when nothing is said: 10 s. */
export const UPGRADE_TIMEOUT_MS = 10_000;
/** The range of that time. */
export const UPGRADE_TIMEOUT_RANGE: readonly [number, number] = [1, 300_000];
/** Between two looks whether a handler has ended. */
const AGAIN_MS = 2;
/** An agent begins messages again by itself when it is not asked again for this long; so much later it is asked again. */
const HOLD_AGAIN_MS = 300;

/** What an agent is to run from now on. */
export interface CodeChange {
  readonly program: Uint8Array;
  /** Default: what it has now. A wish for a replica is kept in any case. */
  readonly grants?: readonly string[];
  /** Default: what it has now. */
  readonly memoryPages?: number;
}

/** An upgrade that was done. */
export interface CellUpgradeReport {
  readonly agent: AgentId;
  readonly from: CodeVersion;
  readonly to: CodeVersion;
  /** Bytes of state that went from the old code to the new. */
  readonly stateBytes: number;
  /** How long no message was taken, in milliseconds: from the last stop until the new code went on. */
  readonly pauseMs: number;
  /** How often the agent was stopped until it rested; 0 for a durable agent, which is not. */
  readonly stops: number;
}

/** What upgrades are made of. */
export interface CellUpgradesParts {
  /** As the mesh sees it, with replicas. */
  readonly gate: CellGate;
  /** Past whatever watches the gate's calls: an upgrade is told to replicas by {@link ReplicaGate.exchanged}. */
  readonly runner: Pick<CellRunnerPort, "admit" | "thaw"> & UpgradeRunnerPort & Partial<KeptUpgradePort>;
  readonly replicas?: Pick<ReplicaGate, "whenHeld" | "exchanged">;
  readonly clock: Clock;
  readonly timers: Timers;
}

interface Stopped {
  readonly mail: FrozenMail;
  readonly atMs: number;
  readonly was: CellState;
}

/** The upgrades of one gate's cells. */
export class CellUpgrades {
  readonly #parts: CellUpgradesParts;

  constructor(parts: CellUpgradesParts) {
    this.#parts = parts;
  }

  /**
   * Exchange the code of an agent that runs or is suspended here; a durable one has to run.
   * @throws {NotUpgradableError}, {UpgradeRefusedError}, {UpgradeBusyError}, {IllegalTransitionError} while it is on its way,
   * {NotHereError}, {BadManifestError}, and the engine's refusals of the program. After every one of them the agent goes on as it was (CU2)
   */
  async upgrade(
    agent: AgentId,
    change: CodeChange,
    timeoutMs: number = UPGRADE_TIMEOUT_MS,
  ): Promise<CellUpgradeReport> {
    const cell = this.#parts.gate.cellOf(agent);
    return this.#exchange(cell, changed(cell.manifest, change), timeoutMs);
  }

  /** Go back to the code before the last upgrade here, by its own `codeChange` (CU5). @throws {NoEarlierCodeError}, and as `upgrade` */
  async rollback(agent: AgentId, timeoutMs: number = UPGRADE_TIMEOUT_MS): Promise<CellUpgradeReport> {
    const cell = this.#parts.gate.cellOf(agent);
    if (cell.before === undefined) throw new NoEarlierCodeError(agent);
    return this.#exchange(cell, decodeManifest(cell.before), timeoutMs);
  }

  async #exchange(cell: GateCell, manifest: AgentManifest, timeoutMs: number): Promise<CellUpgradeReport> {
    const { agent } = cell;
    if (cell.upgrading) throw new IllegalTransitionError(agent, "upgrading", "upgrading");
    if (cell.readAhead || cell.pausing !== undefined || !STANDS.has(cell.state))
      throw new IllegalTransitionError(agent, cell.readAhead ? "migrating" : cell.state, "upgrading");
    const isKept = cell.manifest.kind === "domain";
    if (isKept && cell.state !== "running") throw new IllegalTransitionError(agent, cell.state, "upgrading");
    cell.upgrading = true;
    try {
      checkReplicable(manifest);
      // Before anything stops: most of what is refused is refused here.
      await this.#parts.runner.admit(manifest.program, manifest.grants, manifest.kind);
      if (isKept) return await this.#exchangeKept(cell, manifest, timeoutMs);
      return await new Exchange(this.#parts, cell, manifest, timeoutMs).run();
    } finally {
      cell.upgrading = false;
    }
  }

  /** CU6. */
  async #exchangeKept(
    cell: GateCell,
    manifest: AgentManifest,
    timeoutMs: number,
  ): Promise<CellUpgradeReport> {
    const { agent } = cell;
    const { runner } = this.#parts;
    if (runner.upgradeKept === undefined) throw new ProgramsRefusedError();
    const done = await runner.upgradeKept(agent, manifest, timeoutMs);
    became(cell, manifest, done.to);
    return { agent, ...done, stops: 0 };
  }
}

/** The cell runs this from now on, and what it ran can be gone back to (CU5). */
function became(cell: GateCell, manifest: AgentManifest, code: CodeVersion): void {
  cell.before = cell.meta;
  cell.manifest = manifest;
  cell.meta = encodeManifest(manifest);
  cell.code = code;
}

const STANDS: ReadonlySet<CellState> = new Set(["running", "suspended"]);

/** One upgrade of one cell. */
class Exchange {
  readonly #parts: CellUpgradesParts;
  readonly #cell: GateCell;
  readonly #manifest: AgentManifest;
  readonly #timeoutMs: number;
  readonly #untilMs: number;
  #stops = 0;
  #heldAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: CellUpgradesParts, cell: GateCell, manifest: AgentManifest, timeoutMs: number) {
    this.#parts = parts;
    this.#cell = cell;
    this.#manifest = manifest;
    this.#timeoutMs = timeoutMs;
    this.#untilMs = parts.clock.monotonicMs() + timeoutMs;
  }

  async run(): Promise<CellUpgradeReport> {
    try {
      for (;;) {
        const stopped = await this.#stop();
        const ready = await this.#prepare(stopped);
        if (ready !== undefined) return await this.#commit(stopped, ready);
        await this.#goOn(stopped.was);
        await this.#rest();
      }
    } catch (error) {
      if (this.#heldAtMs !== Number.NEGATIVE_INFINITY) this.#tell("go");
      throw error;
    }
  }

  /** The guest stands still where it waits for a message, and no message is taken. */
  async #stop(): Promise<Stopped> {
    const { agent } = this.#cell;
    const was = this.#cell.state;
    const atMs = this.#parts.clock.monotonicMs();
    this.#cell.state = transition(agent, was, "migrating");
    this.#stops++;
    try {
      const mail = await this.#parts.runner.freezeAtMessage(agent, Math.max(1, this.#untilMs - atMs));
      return { mail, atMs, was };
    } catch (error) {
      if (this.#cell.state === "migrating") this.#cell.state = was;
      if (!(error instanceof NoYieldError) && !isNoYield(error)) throw error;
      throw new UpgradeBusyError(agent, "it did not wait for a message", this.#timeoutMs);
    }
  }

  /** Undefined while a handler is under way. After a failure the cell goes on (CU2). */
  async #prepare(stopped: Stopped): Promise<Extract<PreparedUpgrade, { kind: "ready" }> | undefined> {
    const { agent } = this.#cell;
    const { runner, replicas } = this.#parts;
    try {
      const prepared = await runner.prepareUpgrade(agent, this.#manifest);
      if (prepared.kind === "busy") return undefined;
      await this.#untilHeld(replicas?.whenHeld(agent));
      return prepared;
    } catch (error) {
      await runner.abandonUpgrade(agent);
      await this.#goOn(stopped.was);
      throw error;
    }
  }

  /** CU4. A replica may be missing for long: that is waited for as for anything else. */
  async #untilHeld(held: Promise<void> | undefined): Promise<void> {
    if (held === undefined) return;
    const { clock, timers } = this.#parts;
    const late = Promise.withResolvers<never>();
    const why = "its replica does not have what it said before";
    const timer = timers.schedule(Math.max(1, this.#untilMs - clock.monotonicMs()), () =>
      late.reject(new UpgradeBusyError(this.#cell.agent, why, this.#timeoutMs)),
    );
    try {
      await Promise.race([held, late.promise]);
    } finally {
      timer.cancel();
    }
  }

  async #commit(
    { mail, atMs, was }: Stopped,
    { from, to, stateBytes }: Extract<PreparedUpgrade, { kind: "ready" }>,
  ): Promise<CellUpgradeReport> {
    const { clock, runner, replicas } = this.#parts;
    const { agent } = this.#cell;
    const go: MailItem = { ...FIRST, payload: holdMessage("go") };
    try {
      await runner.commitUpgrade(agent, go);
    } catch (error) {
      await this.#goOn(was);
      throw error;
    }
    this.#cell.waitingMessages++;
    this.#cell.waitingBytes += go.payload.length;
    became(this.#cell, this.#manifest, to);
    replicas?.exchanged(agent, this.#manifest, [go, ...mail.mailbox]);
    await this.#goOn(was);
    const pauseMs = clock.monotonicMs() - atMs;
    return { agent, from, to, stateBytes, pauseMs, stops: this.#stops };
  }

  async #goOn(was: CellState): Promise<void> {
    const { agent } = this.#cell;
    if (this.#cell.state !== "migrating") return;
    this.#cell.state = transition(agent, "migrating", was);
    if (was === "running") await this.#parts.runner.thaw(agent);
  }

  /** CU3. */
  async #rest(): Promise<void> {
    const { agent, suspended } = this.#cell;
    const { clock, timers } = this.#parts;
    if (suspended || clock.monotonicMs() >= this.#untilMs)
      throw new UpgradeBusyError(agent, "it is in the middle of a message", this.#timeoutMs);
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#heldAtMs >= HOLD_AGAIN_MS && this.#tell("hold")) this.#heldAtMs = nowMs;
    await new Promise<void>((resolve) => timers.schedule(AGAIN_MS, resolve));
  }

  #tell(what: "hold" | "go"): boolean {
    try {
      return this.#parts.gate.tellFromNode(this.#cell.agent, holdMessage(what));
    } catch {
      return false; // It ended meanwhile.
    }
  }
}

/** The error of a runner on another thread is data. */
function isNoYield(error: unknown): boolean {
  return (error as { readonly code?: unknown } | undefined)?.code === "cells.no-yield";
}

function changed(now: AgentManifest, { program, grants, memoryPages }: CodeChange): AgentManifest {
  const wishes = now.grants.filter(isReplicaGrant);
  const wanted = grants === undefined ? now.grants : [...new Set([...grants, ...wishes])];
  return checkManifest({ ...now, program, grants: wanted, memoryPages: memoryPages ?? now.memoryPages });
}
