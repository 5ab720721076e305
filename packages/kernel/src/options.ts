/** Options that programs pass in. */
import type { Rights } from "@glia-os/abi/syscalls";
import { BadOptionError, NotAProgramError } from "./errors.ts";
import type { Routine } from "./operation.ts";

/** Refuse what is no object. @throws {BadOptionError} */
export function checkOptions(what: string, options: unknown): void {
  if (typeof options !== "object" || options === null) throw new BadOptionError(what, options, "an object");
}

/** Refuse what is no set of rights. @throws {BadOptionError} */
export function checkRights(rights: Rights): void {
  if (typeof rights !== "number") throw new BadOptionError("rights", rights, "a set of rights");
}

/** What a part of a program gave, which must be a generator. @throws {NotAProgramError} */
export function routineOf<Result>(
  part: (...args: never[]) => Routine<Result>,
  ...args: unknown[]
): Routine<Result> {
  if (typeof part !== "function") throw new NotAProgramError(part);
  const routine: unknown = (part as (...args: unknown[]) => unknown)(...args);
  if (typeof routine === "object" && routine !== null && Symbol.iterator in routine)
    return routine as Routine<Result>;
  throw new NotAProgramError(part);
}
