/**
 * What an agent is before it runs: its program, name, grants and limits. Travels in front of a migration.
 *
 * AM1. A manifest that reaches this node from outside is checked whole before any of it is used.
 * AM2. `hash` is over the manifest's encoded form, so the agent id binds owner, program, grants and limits.
 * AM3. What runs WebAssembly is encoded as in version 1; a manifest of another kind says so and has version 2.
 */
import { decode, encode } from "cborg";
import { BadManifestError } from "./errors.ts";

/** Largest program in bytes. Below the wire's 16 MiB message with room for the rest of the manifest. */
export const PROGRAM_BYTES_MAX: number = 15 * 1024 * 1024;
/** Most linear memory in 64 KiB pages: 2 GiB. */
export const MEMORY_PAGES_MAX = 32_768;
/** Linear memory when the manifest does not say: 256 MiB. */
export const MEMORY_PAGES_DEFAULT = 4096;
const GRANTS_MAX = 16;
const VERSION = 1;
const VERSION_OF_KIND = 2;
const NAME = /^[a-z0-9._-]{1,64}$/;
const GRANT = /^[a-z0-9._/-]{1,64}$/;

/**
 * What a program is. `wasm`: a WebAssembly module. `domain`: an ES module that runs as a durable domain, on nodes that allow it (docs/durable-agents.md).
 */
export type ProgramKind = "wasm" | "domain";

/** An agent's manifest. */
export interface AgentManifest {
  /** 1 to 64 of a-z 0-9 - . _ */
  readonly name: string;
  /** The program's bytes. */
  readonly program: Uint8Array;
  /** Import modules the program may use. */
  readonly grants: readonly string[];
  /** Linear memory limit in 64 KiB pages. */
  readonly memoryPages: number;
  /** Default `wasm`. */
  readonly kind?: ProgramKind;
}

/** The manifest, if it keeps the rules. @throws {BadManifestError}. */
export function checkManifest(manifest: AgentManifest): AgentManifest {
  const { name, program, grants, memoryPages, kind = "wasm" } = manifest;
  if (kind !== "wasm" && kind !== "domain")
    throw new BadManifestError("kind", "it is neither wasm nor domain");
  if (typeof name !== "string" || !NAME.test(name))
    throw new BadManifestError("name", "it is not 1 to 64 of a-z 0-9 - . _");
  if (!(program instanceof Uint8Array) || program.length === 0)
    throw new BadManifestError("program", "it is empty");
  if (program.length > PROGRAM_BYTES_MAX)
    throw new BadManifestError(
      "program",
      `it has ${program.length} bytes; the limit is ${PROGRAM_BYTES_MAX}`,
    );
  if (!Array.isArray(grants) || grants.length > GRANTS_MAX)
    throw new BadManifestError("grants", `there are more than ${GRANTS_MAX}`);
  if (!grants.every((grant) => typeof grant === "string" && GRANT.test(grant)))
    throw new BadManifestError("grants", "one is not 1 to 64 of a-z 0-9 - . _ /");
  if (!Number.isInteger(memoryPages) || memoryPages < 1 || memoryPages > MEMORY_PAGES_MAX)
    throw new BadManifestError(
      "memory",
      `${memoryPages} is not a whole number of pages from 1 to ${MEMORY_PAGES_MAX}`,
    );
  return manifest;
}

/** The one encoding of a manifest. */
export function encodeManifest(manifest: AgentManifest): Uint8Array {
  const { name, program, grants, memoryPages, kind = "wasm" } = manifest;
  const fields = [name, program, [...grants], memoryPages];
  return encode(kind === "wasm" ? [VERSION, ...fields] : [VERSION_OF_KIND, ...fields, kind]);
}

type Fields = [unknown, string, Uint8Array, string[], number, ProgramKind?];

/** The manifest in some bytes (AM1). @throws {BadManifestError}. */
export function decodeManifest(bytes: Uint8Array): AgentManifest {
  let value: unknown;
  try {
    value = decode(bytes, { strict: true, allowIndefinite: false, allowUndefined: false });
  } catch {
    throw new BadManifestError("manifest", "it is not deterministic CBOR");
  }
  if (!Array.isArray(value)) throw new BadManifestError("manifest", "it is no list");
  const [version, name, program, grants, memoryPages, kind] = value as Fields;
  if (version !== VERSION && version !== VERSION_OF_KIND)
    throw new BadManifestError("manifest", "its version is unknown to this build");
  if (value.length !== (version === VERSION ? 5 : 6) || (version === VERSION_OF_KIND && kind !== "domain"))
    throw new BadManifestError("manifest", "it does not have the fields of its version");
  return checkManifest({ name, program, grants, memoryPages, ...(kind === undefined ? {} : { kind }) });
}
