/** Options that programs pass in. */
import type { Rights } from "@glia-os/abi/syscalls";
import { BadOptionError } from "./errors.ts";

/** Refuse what is no object. @throws {BadOptionError} */
export function checkOptions(what: string, options: unknown): void {
  if (typeof options !== "object" || options === null) throw new BadOptionError(what, options, "an object");
}

/** Refuse what is no set of rights. @throws {BadOptionError} */
export function checkRights(rights: Rights): void {
  if (typeof rights !== "number") throw new BadOptionError("rights", rights, "a set of rights");
}
