/**
 * Upgrades of the durable cells of one runner (docs/spec/upgrade.md, "Durable agents").
 *
 * DU1. The new manifest is flushed beside the old before the new code can be recorded, and takes its place after. So whatever the journal says the cell
 *      is of is on the disk, and the journal decides. While it cannot take its place the upgrade is done all the same, and no other one begins.
 * DU2. What fails before the record leaves the cell as it was, with the code and the manifest it had, and it goes on.
 * DU3. The record names its upgrade by the hash of the whole manifest. When nobody knows whether the record is there, both manifests stay: whoever takes the cell up asks the journal.
 * DU4. An agent made by `agent()` is told to rest; a program comes to its checkpoint by itself. What does not in time is given up.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId } from "@glia-os/abi/ids";
import type { Journal, TimerHandle } from "@glia-os/abi/ports";
import { domainEdition, type Exchanged, type Exchanging } from "@glia-os/durable";
import { type AgentManifest, encodeManifest } from "../agent-manifest.ts";
import type { StoredCell } from "../kept-cells.ts";
import { NotUpgradableError, UpgradeBusyError, UpgradeRefusedError } from "../upgrade/errors.ts";
import type { KeptUpgrade } from "../upgrade/upgrade-port.ts";
import type { CodeVersion } from "../upgrade/upgrade-words.ts";
import type { CellCode, DomainCell } from "./domain-cell.ts";
import { AGENTS_GRANT, type CellOnDisk, type CellStore, type DomainRunnerOptions } from "./domain-options.ts";
import { type ProgramCode, programCode } from "./program-code.ts";

/** What they work with. */
export interface DomainUpgradesParts
  extends Pick<DomainRunnerOptions, "store" | "clock" | "timers" | "logger"> {
  /** @throws {NotHereError} */
  cellOf(agent: AgentId): DomainCell;
  /** What a cell with a manifest runs. @throws what refuses it */
  load(manifest: AgentManifest): Promise<CellCode>;
  /** The hash of bytes, as text. */
  hashOf(bytes: Uint8Array): string;
}

/** What is known of an exchange at its boundary. */
interface Boundary {
  readonly from: CodeVersion;
  readonly to: CodeVersion;
}

/** Those of one runner. */
export class DomainUpgrades {
  readonly #parts: DomainUpgradesParts;
  /** Cells whose new manifest could not be put in its place. */
  readonly #unsettled = new Set<AgentId>();

  constructor(parts: DomainUpgradesParts) {
    this.#parts = parts;
  }

  /** As `KeptUpgradePort`. */
  async upgrade(agent: AgentId, manifest: AgentManifest, timeoutMs: number): Promise<KeptUpgrade> {
    const { store, cellOf, load } = this.#parts;
    const cell = cellOf(agent);
    const next = await load(manifest);
    checkSame(agent, cell.manifest, manifest);
    if (this.#unsettled.has(agent)) await this.#settle(agent);
    const meta = encodeManifest(manifest);
    await store.putNext({ agent, meta });
    let done: KeptUpgrade;
    try {
      done = await this.#exchange(cell, { ...next, edition: this.#parts.hashOf(meta) }, timeoutMs);
    } catch (error) {
      if (errorCodeOf(error) !== LOST) await store.dropNext(agent); // DU3.
      throw error;
    }
    cell.became(next);
    this.#unsettled.add(agent);
    await this.#settle(agent).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      this.#parts.logger.log("warn", "a new manifest stays beside the old one", { agent, error: why });
    });
    return done;
  }

  async #settle(agent: AgentId): Promise<void> {
    await this.#parts.store.takeNext(agent);
    this.#unsettled.delete(agent);
  }

  async #exchange(
    cell: DomainCell,
    next: CellCode & { readonly edition: string },
    timeoutMs: number,
  ): Promise<KeptUpgrade> {
    const { clock } = this.#parts;
    const [oldCode, newCode] = [codeIn(cell, cell.program), codeIn(cell, next.program)];
    if (oldCode.rests !== newCode.rests)
      throw new NotUpgradableError(
        cell.agent,
        "of an agent made by agent() and a program, one is not the other",
      );
    let boundary: Boundary | undefined;
    let stoodMs: number | undefined;
    const change = (state: unknown): unknown => {
      stoodMs ??= clock.monotonicMs();
      const from = oldCode.codeOf(state);
      const changed = newCode.takeOver(state, from);
      boundary = { from, to: newCode.codeOf(changed) };
      return changed;
    };
    const exchanging = cell.exchange({ program: next.program, edition: next.edition, change });
    if (newCode.rests) {
      stoodMs = clock.monotonicMs();
      cell.rest("rest").catch(() => undefined); // Then nobody comes to a boundary, which `done` says.
    }
    const { bytes } = await this.#inTime(cell, exchanging, newCode, timeoutMs);
    const { from, to } = boundary as unknown as Boundary;
    return { from, to, stateBytes: bytes, pauseMs: clock.monotonicMs() - (stoodMs ?? 0) };
  }

  /** DU4. */
  async #inTime(
    cell: DomainCell,
    exchanging: Exchanging,
    { rests }: ProgramCode,
    timeoutMs: number,
  ): Promise<Exchanged> {
    const { agent } = cell;
    const late = Promise.withResolvers<never>();
    const why = rests ? "it is in the middle of a message" : "its program came to no checkpoint";
    const timer: TimerHandle = this.#parts.timers.schedule(timeoutMs, () => {
      if (exchanging.withdraw()) late.reject(new UpgradeBusyError(agent, why, timeoutMs));
    });
    try {
      return await Promise.race([exchanging.done, late.promise]);
    } catch (error) {
      const code = errorCodeOf(error);
      if (code === LOST || code === ENDED) throw error;
      if (error instanceof UpgradeBusyError) {
        if (rests) await cell.rest("go").catch(() => undefined);
        throw error;
      }
      throw new UpgradeRefusedError(
        agent,
        "new",
        error instanceof Error ? error.message : String(error),
        code,
      );
    } finally {
      timer.cancel();
    }
  }
}

const LOST = "durable.domain-lost";
const ENDED = "durable.domain-ended";

function codeIn({ agent }: DomainCell, program: CellCode["program"]): ProgramCode {
  try {
    return programCode(program);
  } catch (error) {
    throw new UpgradeRefusedError(agent, "new", (error as Error).message, errorCodeOf(error));
  }
}

function checkSame(agent: AgentId, now: AgentManifest, next: AgentManifest): void {
  const talks = (manifest: AgentManifest): boolean => manifest.grants.includes(AGENTS_GRANT);
  if (talks(now) === talks(next)) return;
  throw new NotUpgradableError(agent, `whether it has the grant ${AGENTS_GRANT} stays as it began`);
}

/** A cell of the disk with the manifest that its journal says it is of (DU3); that is in its place then. `hashOf`: of bytes. */
export async function settledCell(
  { next, ...cell }: CellOnDisk & { readonly next: Uint8Array },
  { store, journal }: { readonly store: CellStore; readonly journal: Journal },
  hashOf: (bytes: Uint8Array) => string,
): Promise<StoredCell> {
  const { agent } = cell;
  const isNext = (await domainEdition(journal, agent)) === hashOf(next);
  await (isNext ? store.takeNext(agent) : store.dropNext(agent));
  return isNext ? { agent, meta: next } : cell;
}
