/**
 * Numbers and shapes that are written into snapshots, journals and records, and therefore never change (ABI_VERSION 1).
 * `node --conditions=@glia-os/source conformance/reference/frozen.ts --write` makes conformance/vectors/frozen.json anew; entries may be
 * added there, never changed or removed.
 */
import { writeFileSync } from "node:fs";
import { MalformedError } from "@glia-os/abi/errors";
import type { Random } from "@glia-os/abi/ports";
import { RIGHTS, SYSCALLS } from "@glia-os/abi/syscalls";
import {
  ABI_VERSION,
  GUEST_ERRORS,
  HOST_IMPORTS,
  HOST_MODULE,
  SNAPSHOT_PAGE_BYTES,
  SNAPSHOT_VERSION,
} from "@glia-os/abi/wire";
import { SeededRandom } from "@glia-os/kernel/testing";
import { encode, rfc8949EncodeOptions } from "cborg";

/** A capability record (docs/spec/capability-record.md) in its one encoding, as hexadecimal. */
export function capabilityRecord(
  kind: string,
  target: string,
  rights: number,
  parent: Uint8Array | null,
): string {
  const record = { version: 1, kind, target, rights, constraints: {}, parent };
  return Buffer.from(encode(record, rfc8949EncodeOptions)).toString("hex");
}

function firstDraws(seed: string, ...labels: readonly string[]): number[] {
  const source = labels.reduce<Random>((random, label) => random.fork(label), new SeededRandom(seed));
  return [source.uint32(), source.uint32(), source.uint32()];
}

/** Everything that is frozen. */
export function frozen(): Record<string, unknown> {
  const signature = (name: string, params: readonly string[], result: string): string =>
    `${name}(${params.join(" ")}) ${result}`;
  return {
    abiVersion: ABI_VERSION,
    syscalls: Object.fromEntries([...SYSCALLS.values()].map(({ number, name }) => [name, number])),
    rights: RIGHTS,
    guestErrors: GUEST_ERRORS,
    hostModule: HOST_MODULE,
    hostImports: Object.fromEntries(
      HOST_IMPORTS.map(({ name, params, result }) => [name, signature(name, params, result)]),
    ),
    snapshot: { version: SNAPSHOT_VERSION, pageBytes: SNAPSHOT_PAGE_BYTES },
    errorRecord: new MalformedError("epoch", "0 is not an integer from 1 to 2^53 - 1").toRecord(),
    capabilityRecords: {
      byName: capabilityRecord("rebind-by-name", "tools/search", RIGHTS.call, null),
      remote: capabilityRecord(
        "remote",
        `${"0a".repeat(32)}/${"ab".repeat(16)}`,
        RIGHTS.send | RIGHTS.grant,
        new Uint8Array(32),
      ),
      immovable: capabilityRecord("immovable", "socket", RIGHTS.read, null),
    },
    seededRandom: {
      seed: firstDraws("1"),
      shell: firstDraws("1", "shell"),
      task: firstDraws("1", "task/0/1"),
    },
  };
}

if (import.meta.main && process.argv.includes("--write")) {
  writeFileSync(new URL("../vectors/frozen.json", import.meta.url), `${JSON.stringify(frozen(), null, 2)}\n`);
}
