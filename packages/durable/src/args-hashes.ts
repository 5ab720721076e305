/** Hashes of the arguments of calls, by which a replay finds out whether a program asks for the same. */
import { syscallByNumber } from "@glia-os/abi/syscalls";
import { SERVICE_KINDS } from "@glia-os/kernel/services";
import { encode, rfc8949EncodeOptions } from "cborg";
import type { Sha256 } from "./derived-random.ts";
import { encodePlain } from "./plain-encoder.ts";
import type { Hash } from "./record.ts";

/** Calls with arguments that are secret. */
const SECRET_OPS: ReadonlySet<number> = new Set(
  Object.values(SERVICE_KINDS)
    .map(({ op }) => op)
    .filter((op) => syscallByNumber(op)?.args.some(({ secret }) => secret === true) ?? false),
);

/** Whether the arguments of a call are secret. They leave no trace, also not as a hash (S2 of the syscall table). */
export function hasSecretArgs(op: number): boolean {
  return SECRET_OPS.has(op);
}

/** Hashes of one domain's calls. */
export class ArgsHashes {
  readonly #digests: Sha256;
  /** Of calls whose arguments are secret: the same for every call of a service. */
  readonly #secret: Map<string, Hash> = new Map();

  constructor(digests: Sha256) {
    this.#digests = digests;
  }

  /** The hash of a call. @throws what the encoder throws for a request that is no plain data */
  hash(op: number, service: string, request: unknown): Hash {
    if (!SECRET_OPS.has(op)) return this.#hashOf([service, request]);
    const known = this.#secret.get(service);
    if (known !== undefined) return known;
    const hash = this.#hashOf([service]);
    this.#secret.set(service, hash);
    return hash;
  }

  #hashOf(called: readonly unknown[]): Hash {
    return this.#digests.sha256(encodePlain(called) ?? encode(called, rfc8949EncodeOptions));
  }
}
