/** The prebuilt guests in C and Rust are what their sources say. Other tests run them. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildGuest, compilerVersion, RECIPES, readManifest, sourceHash } from "../guests/build.ts";

const prebuilt = join(import.meta.dirname, "..", "guests", "prebuilt");
const manifest = readManifest();
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("the prebuilt modules", () => {
  it("are what the manifest says, made from the sources as they are", () => {
    expect(Object.keys(manifest).sort()).toEqual(Object.keys(RECIPES).sort());
    for (const [name, guest] of Object.entries(manifest)) {
      const bytes = readFileSync(join(prebuilt, `${name}.wasm`));
      expect(sha256(bytes), name).toBe(guest.hash);
      expect(bytes.length, name).toBe(guest.bytes);
      expect(sourceHash(guest), `${guest.source}: run node conformance/guests/build.ts`).toBe(
        guest.sourceHash,
      );
    }
  });

  for (const [name, { compiler }] of Object.entries(RECIPES)) {
    const made = manifest[name]?.compiler ?? "";
    it(`${name} is byte for byte what ${made} makes of its source`, (context) => {
      const here = compilerVersion(compiler);
      context.skip(here !== made, `needs ${made} as ${compiler}`);
      expect(sha256(buildGuest(name))).toBe(manifest[name]?.hash);
    });
  }
});
