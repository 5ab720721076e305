/**
 * Exchanges the code of cells on their runner's side (docs/spec/upgrade.md).
 *
 * CX1. The old guest is never spoken with: a copy of it is, so that whatever the copy does, the guest is as it was.
 * CX2. The new guest takes over apart from the cell, and what it is then is restored into an instance with the cell's own host: nothing that
 *      it said or tried before counts.
 * CX3. One candidate per cell; one that is not committed is disposed of.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { AdmittedProgram, EngineInstance, EngineLimits, GuestHost } from "@glia-os/abi/ports";
import type { Exit, Routine, Sys } from "@glia-os/kernel";
import type { AgentManifest } from "../agent-manifest.ts";
import { heldOf, servicesFor } from "../cell-services.ts";
import { NotHereError } from "../errors.ts";
import { checkReplicable } from "../replica/grants.ts";
import { RunnerCell } from "../runner-cell.ts";
import type { CellRunnerOptions } from "../runner-options.ts";
import { NotUpgradableError, UpgradeBusyError, UpgradeRefusedError } from "./errors.ts";
import { type DialogueFailure, GuestDialogue, waitsForMessage } from "./guest-dialogue.ts";
import type { PreparedUpgrade } from "./upgrade-port.ts";
import {
  askHandOver,
  type CodeVersion,
  giveTakeOver,
  readHandOver,
  readTakeOver,
  UPGRADE_EXPORT,
} from "./upgrade-words.ts";

const AGENTS_GRANT = "service/agents";

/** A state on its way from old code to new. */
interface HandedOver {
  readonly from: CodeVersion;
  readonly parts: readonly Uint8Array[];
}

/** The candidates of one runner's cells. */
export class CellExchange {
  readonly #options: CellRunnerOptions;
  readonly #candidates = new Map<AgentId, RunnerCell>();

  constructor(options: CellRunnerOptions) {
    this.#options = options;
  }

  /** Let the state of a cell that stands still go from its old code to new. `limits`: of a guest with a manifest. */
  async prepare(
    cell: RunnerCell,
    manifest: AgentManifest,
    limits: (cell: RunnerCell) => Partial<EngineLimits>,
  ): Promise<PreparedUpgrade> {
    const { agent } = cell;
    this.abandon(agent);
    servicesFor(manifest.grants, this.#options.services);
    checkReplicable(manifest);
    const program = await this.#options.engine.admit(manifest.program, manifest.grants);
    checkTakesPart(agent, cell.program, cell.manifest, "its code");
    checkTakesPart(agent, program, manifest, "the new code");
    if (!waitsForMessage(cell.instance))
      throw new UpgradeBusyError(agent, "it stands still elsewhere than where it waits for a message", 0);
    const next = new RunnerCell(agent, manifest, program, this.#options);
    const handed = await this.#inTask(agent, (sys) => this.#handOver(sys, cell, limits(cell)));
    if (handed === "busy") return { kind: "busy" };
    const to = await this.#inTask(agent, (sys) => this.#takeOver(sys, next, handed, limits(next)));
    this.#candidates.set(agent, next);
    const stateBytes = handed.parts.reduce((sum, { length }) => sum + length, 0);
    return { kind: "ready", from: handed.from, to, stateBytes };
  }

  /** What was prepared for a cell, to be put in its place. @throws {NotHereError} */
  take(agent: AgentId): RunnerCell {
    const next = this.#candidates.get(agent);
    if (next === undefined) throw new NotHereError(agent);
    this.#candidates.delete(agent);
    return next;
  }

  /** Idempotent. */
  abandon(agent: AgentId): void {
    this.#candidates.get(agent)?.instance.dispose();
    this.#candidates.delete(agent);
  }

  /** In a task of its own, so that it takes turns with everything else of the kernel. */
  #inTask<Result>(agent: AgentId, run: (sys: Sys) => Routine<Result>): Promise<Result> {
    const { kernel } = this.#options;
    return new Promise((resolve, reject) => {
      const task = kernel.spawn(
        function* (sys: Sys): Routine<Result> {
          return yield* run(sys);
        },
        { name: `upgrade.${agent.slice(0, 8)}` },
      );
      kernel.onExit(task, (exit) => {
        const ended = exit as Exit<Result>;
        if (ended.kind === "ok") resolve(ended.value);
        else reject(ended.kind === "failed" ? ended.error : new NotHereError(agent));
      });
    });
  }

  /** CX1. */
  *#handOver(sys: Sys, cell: RunnerCell, limits: Partial<EngineLimits>): Routine<HandedOver | "busy"> {
    const { agent, program } = cell;
    const dialogue = new GuestDialogue(this.#hostOf(cell));
    const copy = program.restore(cell.instance.snapshot(), limits, dialogue.host);
    try {
      const parts: Uint8Array[] = [];
      for (;;) {
        const answer = yield* dialogue.ask(sys, copy, askHandOver(parts.length));
        const said = readHandOver(bytesIn(agent, "old", answer));
        if (said.kind === "busy") return "busy";
        if (said.kind === "refused") throw new UpgradeRefusedError(agent, "old", said.why, said.code);
        parts.push(said.bytes);
        if (parts.length >= said.parts) return { from: said.code, parts };
      }
    } finally {
      copy.dispose();
    }
  }

  /** CX2. */
  *#takeOver(
    sys: Sys,
    next: RunnerCell,
    { parts }: HandedOver,
    limits: Partial<EngineLimits>,
  ): Routine<CodeVersion> {
    const { agent, program } = next;
    const dialogue = new GuestDialogue(this.#hostOf(next));
    const apart = program.instantiate(limits, dialogue.host);
    try {
      refuseFailure(agent, yield* dialogue.begin(sys, apart));
      for (const [at, bytes] of parts.entries()) {
        const answer = yield* dialogue.ask(sys, apart, giveTakeOver(at, parts.length, bytes));
        const said = readTakeOver(bytesIn(agent, "new", answer));
        if (said.kind === "refused") throw new UpgradeRefusedError(agent, "new", said.why, said.code);
        if (said.kind === "more") continue;
        next.instance = restored(program, apart, limits, next.host());
        return said.code;
      }
      throw new UpgradeRefusedError(agent, "new", "it has all of the state and wants more");
    } finally {
      apart.dispose();
    }
  }

  /** What a guest may ask for without waiting while it is spoken with; rights it holds stand for nothing yet (GD1). */
  #hostOf({ agent, manifest, services }: RunnerCell): GuestHost {
    const { logger, clock, kernel } = this.#options;
    return {
      log: (_level, text) => logger.log("debug", text, { agent, name: manifest.name, upgrade: true }),
      capabilities: heldOf(services),
      wallMs: () => clock.wallMs(),
      random: (target) => void kernel.random.bytes(target),
      reply: () => 0,
    };
  }
}

function restored(
  program: AdmittedProgram,
  from: EngineInstance,
  limits: Partial<EngineLimits>,
  host: GuestHost,
): EngineInstance {
  return program.restore(from.snapshot(), limits, host);
}

/** Only code that says so is asked: to any other these messages would be messages like others. */
function checkTakesPart(
  agent: AgentId,
  { exports = [] }: AdmittedProgram,
  { grants }: AgentManifest,
  which: string,
): void {
  if (grants.includes(AGENTS_GRANT) || exports.includes(UPGRADE_EXPORT)) return;
  throw new NotUpgradableError(agent, `${which} has no export ${UPGRADE_EXPORT}`);
}

function bytesIn(agent: AgentId, who: "old" | "new", answer: Uint8Array | DialogueFailure): Uint8Array {
  if (answer instanceof Uint8Array) return answer;
  throw new UpgradeRefusedError(agent, who, answer.why);
}

function refuseFailure(agent: AgentId, failure: DialogueFailure | undefined): void {
  if (failure !== undefined) throw new UpgradeRefusedError(agent, "new", failure.why);
}
