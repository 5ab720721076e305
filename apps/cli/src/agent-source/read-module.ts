/** Reads a module that a node is given as it is in its file. */
import { ModuleUnreadableError, reasonOf } from "../errors.ts";
import { readBounded } from "../node/first-line.ts";

/** The largest module a node takes: 15 MiB. */
const MODULE_BYTES_MAX = 15 * 1024 * 1024;

/** What every module begins with (WebAssembly Core Specification, "Modules" of the binary format): `\0asm`. */
const MAGIC = [0x00, 0x61, 0x73, 0x6d] as const;

/** The bytes of a WebAssembly module. @throws {ModuleUnreadableError} as of {@link readModule}, and for what is none */
export function readWasm(path: string): Uint8Array {
  const bytes = readModule(path);
  if (!MAGIC.every((byte, at) => bytes[at] === byte))
    throw new ModuleUnreadableError(path, "it is not a WebAssembly module");
  return bytes;
}

/** The bytes of a file. @throws {ModuleUnreadableError} also for more than a node takes */
export function readModule(path: string): Uint8Array {
  try {
    const bytes = readBounded(path, MODULE_BYTES_MAX);
    if (bytes.length <= MODULE_BYTES_MAX) return bytes;
  } catch (cause) {
    throw new ModuleUnreadableError(path, reasonOf(cause), cause);
  }
  throw new ModuleUnreadableError(path, `it is longer than ${MODULE_BYTES_MAX} bytes`);
}
