/** Where the large values of the domains of a journal are: blobs in a folder within that of the journal. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { MalformedError } from "@glia-os/abi/errors";
import type { Blobs } from "@glia-os/abi/ports";
import { LargeValues } from "@glia-os/durable";
import { createSystemDigests } from "@glia-os/hal";

/** The folder of the blobs (docs/spec/blobs.md). */
export function valuesFolder(journal: string): string {
  return join(journal, "values");
}

/** Blobs of a folder, for who reads beside the process that has it: each is a file, named by what is in it. */
function readableBlobs(folder: string): Pick<Blobs, "get" | "put"> {
  return {
    async get(hash) {
      const bytes = await readFile(join(folder, hash.slice(0, 2), hash)).catch(() => undefined);
      if (bytes === undefined) return undefined;
      if (createHash("sha256").update(bytes).digest("hex") === hash) return bytes;
      throw new MalformedError(`blob ${hash}`, "its bytes are others");
    },
    put: () => Promise.reject(new MalformedError("put", "the values of a journal are only read here")),
  };
}

/** The large values of a domain, for a replay. */
export function valuesOf(journal: string, domain: string): LargeValues {
  return new LargeValues(domain, readableBlobs(valuesFolder(journal)), createSystemDigests());
}
