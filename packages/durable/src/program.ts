/** What a durable domain runs. */
import type { AccountOptions, Program } from "@glia-os/kernel";
import type { Service } from "@glia-os/kernel/services";
import { BadProgramError } from "./errors.ts";
import { type RecoveryOptions, recoveryPlanOf } from "./recovery/recovery-plan.ts";

/**
 * A program that survives its process. It must do the same whenever it is run with the same input and gets the same answers: what it
 * knows of the world comes from its syscalls, not from closures, clocks or files.
 */
export interface DurableProgram<Input = never, Result = unknown> {
  /** Written into the journal: 1 to 128 characters. */
  readonly name: string;
  /**
   * What the code of this program is: a version, or a hash of its bundle; 1 to 128 characters. A domain is resumed by a program of the
   * version it was begun or had its last checkpoint with, and by no other that does not name that version under `continues`.
   */
  readonly version?: string;
  /** Versions whose domains this program goes on with, because it does the same up to where they stand; "" for programs without one. */
  readonly continues?: readonly string[];
  /** Names of the services whose handles the root task gets after its inbox, in order. At most 64. */
  readonly uses?: readonly string[];
  /**
   * Limits of what its calls of services may cost in all (`Account` of the kernel). A replay counts what was recorded, so a restart
   * neither forgets nor repeats a cost; changed limits are a changed program. Default: 10,000,000 calls and 100,000,000 tokens.
   */
  readonly account?: AccountOptions;
  /**
   * How often a message is tried, 1 to 100. When the root task fails and took exactly one message since the domain began or had its last
   * checkpoint, the domain begins anew from there and tries that message again; after so many failures it is set aside
   * (docs/spec/mail.md, ML7). For programs that have a checkpoint after each message. Default: a failure ends the domain.
   */
  readonly attempts?: number;
  /** What happens when the root task fails (docs/spec/recovery.md). Default: the domain ends with the failure. */
  readonly recovery?: RecoveryOptions;
  /** The root task for an input. It gets the syscalls, the handle of its inbox, and the handles of the services. */
  run(input: Input): Program<Result>;
}

/** A service that durable domains may use. */
export interface DurableService {
  readonly service: Service;
  /**
   * A call may be performed again when its process ended before the outcome was recorded: because it changes nothing, or because the
   * service takes the key of a call for what it is. Default: for `files`, `model` and `approver`, and for `http` requests that are
   * GET or HEAD. Otherwise the task gets `durable.outcome-unknown`.
   */
  readonly repeatable?: boolean;
  /** Whether a call that failed may be made again when its domain is resumed. Default: as `repeatable`. */
  mayTryAgain?(request: unknown): boolean;
  /** What is wrong with a value as an answer of this service; asked when a restart puts one in place of a failure. Default: nothing. */
  faultIn?(answer: unknown): string | undefined;
}

const NAME_LIMIT = 128;
const USES_LIMIT = 64;
const ATTEMPTS_LIMIT = 100;

/** Check the form of a program. @throws {BadProgramError} */
export function checkProgram(program: DurableProgram): void {
  if (typeof program !== "object" || program === null) throw new BadProgramError("it is no object");
  const { name, uses = [], attempts = 1 } = program;
  if (typeof name !== "string" || name === "" || name.length > NAME_LIMIT)
    throw new BadProgramError(`its name does not have 1 to ${NAME_LIMIT} characters`);
  checkVersions(program);
  recoveryPlanOf(name, program.recovery);
  if (typeof program.run !== "function") throw new BadProgramError(`${name} has no function run`);
  if (!Array.isArray(uses) || uses.length > USES_LIMIT || uses.some((each) => typeof each !== "string"))
    throw new BadProgramError(`what ${name} uses is no list of at most ${USES_LIMIT} names`);
  if (!Number.isInteger(attempts) || attempts < 1 || attempts > ATTEMPTS_LIMIT)
    throw new BadProgramError(`the attempts of ${name} are no whole number from 1 to ${ATTEMPTS_LIMIT}`);
}

const isVersion = (text: unknown): boolean =>
  typeof text === "string" && text !== "" && text.length <= NAME_LIMIT;

/** @throws {BadProgramError} for what is no name of a program's edition */
export function checkEdition(name: string, edition: string | undefined): void {
  if (edition !== undefined && !isVersion(edition))
    throw new BadProgramError(`the edition of ${name} does not have 1 to ${NAME_LIMIT} characters`);
}

function checkVersions({ name, version, continues = [] }: DurableProgram): void {
  if (version !== undefined && !isVersion(version))
    throw new BadProgramError(`the version of ${name} does not have 1 to ${NAME_LIMIT} characters`);
  if (
    !Array.isArray(continues) ||
    continues.length > USES_LIMIT ||
    !continues.every((text) => text === "" || isVersion(text))
  )
    throw new BadProgramError(`what ${name} continues is no list of at most ${USES_LIMIT} versions`);
}

/** Whether a program may go on with what a version of it began. */
export function mayContinue({ version = "", continues = [] }: DurableProgram, recorded = ""): boolean {
  return recorded === version || continues.includes(recorded);
}

/** The root task of a program as the kernel runs it. @throws what `run` throws, and {BadProgramError} when it returns no function */
export function rootOf(program: DurableProgram, input: unknown): Program {
  const root: unknown = (program as DurableProgram<unknown>).run(input);
  if (typeof root === "function") return root as Program;
  throw new BadProgramError(`run of ${program.name} returned no generator function`);
}
