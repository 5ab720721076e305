/**
 * What an agent is before it runs: its program, name, grants and limits. Travels in front of a migration.
 *
 * AM1. A manifest that reaches this node from outside is checked whole before any of it is used.
 * AM2. `hash` is over the manifest's encoded form, so the agent id binds owner, program, grants and limits.
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
const NAME = /^[a-z0-9._-]{1,64}$/;
const GRANT = /^[a-z0-9._/-]{1,64}$/;

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
}

/** The manifest, if it keeps the rules. @throws {BadManifestError}. */
export function checkManifest(manifest: AgentManifest): AgentManifest {
  const { name, program, grants, memoryPages } = manifest;
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
  const { name, program, grants, memoryPages } = manifest;
  return encode([VERSION, name, program, [...grants], memoryPages]);
}

/** The manifest in some bytes (AM1). @throws {BadManifestError}. */
export function decodeManifest(bytes: Uint8Array): AgentManifest {
  let value: unknown;
  try {
    value = decode(bytes, { strict: true, allowIndefinite: false, allowUndefined: false });
  } catch {
    throw new BadManifestError("manifest", "it is not deterministic CBOR");
  }
  if (!Array.isArray(value) || value.length !== 5)
    throw new BadManifestError("manifest", "it is not a list of five");
  const [version, name, program, grants, memoryPages] = value as [
    unknown,
    string,
    Uint8Array,
    string[],
    number,
  ];
  if (version !== VERSION) throw new BadManifestError("manifest", "its version is unknown to this build");
  return checkManifest({ name, program, grants, memoryPages });
}
