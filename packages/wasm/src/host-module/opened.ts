/**
 * The host modules at work for one guest: opened before its first step, saved with every snapshot, closed when it ends.
 *
 * O1. Modules are opened for the names the guest imports functions from, and for no others.
 * O2. A restore needs every module the snapshot has a state of, in the same version, and no others (port HM1).
 * O3. When one cannot be opened, or its guest cannot be made, those opened before are closed.
 * O4. What a module throws while it is opened, saved or closed becomes a `HostFailedError` that names it, unless it is typed already.
 */

import { isGliaError } from "@glia-os/abi/errors";
import type { HandleCodec, HostModule, OpenHostModule } from "@glia-os/abi/ports";
import type { ModuleImport } from "../binary/outline.ts";
import { KIND } from "../binary/outline.ts";
import { HostFailedError, HostModuleMissingError, SnapshotMismatchError } from "../errors.ts";
import { accessTo, type ServedGuest } from "./guest-access.ts";
import { SlotTable } from "./handle-table.ts";
import type { SavedModule } from "./host-section.ts";

const NO_HANDLES: HandleCodec<unknown> = {
  quota: 0,
  encode: () => new Uint8Array(),
  decode: () => undefined,
};

interface Opened {
  readonly module: HostModule;
  readonly handles: SlotTable<unknown>;
  readonly at: OpenHostModule;
}

/** The modules of one guest. */
export class OpenedModules {
  readonly #opened = new Map<string, Opened>();
  #closed = false;

  /** @throws HostModuleMissingError, SnapshotMismatchError, HostFailedError, or what a module throws */
  constructor(
    guest: ServedGuest,
    imports: readonly ModuleImport[],
    offered: readonly HostModule[],
    saved: readonly SavedModule[] | undefined,
  ) {
    const wanted = offered.filter(({ name }) =>
      imports.some(({ module, kind }) => kind === KIND.function && module === name),
    );
    if (saved !== undefined) requireSame(wanted, saved);
    try {
      for (const module of wanted)
        this.#open(
          guest,
          module,
          saved?.find(({ name }) => name === module.name),
        );
    } catch (error) {
      this.close("disposed");
      throw error;
    }
  }

  #open(guest: ServedGuest, module: HostModule, state: SavedModule | undefined): void {
    const { name } = module;
    const handles =
      state === undefined
        ? new SlotTable<unknown>(module.handles?.quota ?? 0)
        : named(`${name}/handles`, () => SlotTable.restored(state, module.handles ?? NO_HANDLES, name));
    const at = named(`${name}/open`, () => module.open(accessTo(guest, handles), state?.state));
    this.#opened.set(name, { module, handles, at });
  }

  /** Whether the guest uses no host module. */
  get none(): boolean {
    return this.#opened.size === 0;
  }

  /** The implementation a module opened under a name. */
  of(module: string): OpenHostModule | undefined {
    return this.#opened.get(module)?.at;
  }

  /** What every module keeps. */
  save(): SavedModule[] {
    return [...this.#opened.values()].map(({ module, handles, at }) => ({
      name: module.name,
      version: module.version,
      state: named(`${module.name}/save`, () => at.save()),
      ...named(`${module.name}/handles`, () => handles.save(module.handles ?? NO_HANDLES)),
    }));
  }

  /** Tell every module, once; all are told even when one throws. @throws HostFailedError, the first */
  close(how: "ended" | "disposed"): void {
    if (this.#closed) return;
    this.#closed = true;
    const failures: unknown[] = [];
    for (const { module, at } of this.#opened.values()) {
      try {
        named(`${module.name}/close`, () => at.close?.(how));
      } catch (failure) {
        failures.push(failure);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

function requireSame(wanted: readonly HostModule[], saved: readonly SavedModule[]): void {
  for (const { name, version } of saved) {
    const here = wanted.find((one) => one.name === name);
    if (here?.version !== version) throw new HostModuleMissingError(name, version, here?.version);
  }
  const extra = wanted.find(({ name }) => !saved.some((one) => one.name === name));
  if (extra !== undefined)
    throw new SnapshotMismatchError(`the state of host module ${extra.name}`, "absent", "present");
}

function named<T>(name: string, perform: () => T): T {
  try {
    return perform();
  } catch (cause) {
    throw isGliaError(cause) ? cause : new HostFailedError(name, cause);
  }
}
