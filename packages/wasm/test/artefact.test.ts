/** Signed modules, the cache of instrumented ones, and that the pipeline gives the same bytes everywhere. */
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  BadKeyError,
  createWasmEngine,
  PROFILES,
  signModule,
  splitSignature,
  UnsignedModuleError,
} from "../src/index.ts";
import { instrument, instrumentCached } from "../src/pipeline/index.ts";
import { sha256Hex } from "../src/profile.ts";
import { assemble, RecordingHost, SUMMING, u32 } from "./guest.ts";

interface Pair {
  readonly seed: Uint8Array;
  readonly key: Uint8Array;
}

function pair(): Pair {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = (jwk: string | undefined): Uint8Array => Uint8Array.from(Buffer.from(jwk ?? "", "base64url"));
  return {
    seed: raw(privateKey.export({ format: "jwk" }).d),
    key: raw(publicKey.export({ format: "jwk" }).x),
  };
}

const [mine, theirs] = [pair(), pair()];
const all = ["glia.v1"];
const original = assemble(SUMMING);
let module: Uint8Array;
let folder: string;
beforeAll(async () => {
  module = (await instrument(original, { profile: "preemptive" })).bytes;
  folder = mkdtempSync(join(tmpdir(), "glia-cache-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a node with admission keys", () => {
  const engine = createWasmEngine({ admissionKeys: [theirs.key, mine.key] });

  it("admits what one of them signed, under the hash of the module without its signature", async () => {
    const signed = signModule(module, mine.seed);
    const program = await engine.admit(signed, all);
    expect(program.hash).toBe(sha256Hex(module));
    expect((await engine.admit(signModule(signed, theirs.seed), all)).hash).toBe(program.hash);
    expect((await createWasmEngine().admit(signed, all)).hash).toBe(program.hash);
    const it = program.instantiate({}, new RecordingHost());
    it.step();
    const elsewhere = await engine.admit(signModule(module, theirs.seed), all);
    expect(
      elsewhere.restore(it.snapshot(), {}, new RecordingHost()).step({ value: 0, payload: u32(1) }).kind,
    ).toBe("pending");
  });

  it("refuses a module without signature, or signed by another key", async () => {
    const stranger = pair();
    await expect(engine.admit(module, all)).rejects.toThrow(UnsignedModuleError);
    await expect(engine.admit(signModule(module, stranger.seed), all)).rejects.toThrow("not admitted here");
    // The stranger says to be one of ours.
    const claimed = signModule(module, stranger.seed);
    claimed.set(mine.key, claimed.length - 96);
    await expect(engine.admit(claimed, all)).rejects.toThrow("does not fit");
  });

  it("refuses a signed module with any one byte changed", async () => {
    const signed = signModule(module, mine.seed);
    for (let at = 0; at < signed.length; at += 7) {
      const damaged = signed.slice();
      damaged[at] = (damaged[at] as number) ^ 1;
      await expect(engine.admit(damaged, all), `byte ${at}`).rejects.toThrow();
    }
  });

  it("refuses two signatures, one in the middle, and one of another length", async () => {
    const signed = signModule(module, mine.seed);
    const signature = signed.subarray(module.length);
    const twice = Buffer.concat([signed, signature]);
    const middle = Buffer.concat([module.subarray(0, 8), signature, module.subarray(8)]);
    for (const bytes of [twice, middle])
      await expect(engine.admit(bytes, all)).rejects.toThrow(UnsignedModuleError);
    const short = Buffer.concat([
      module,
      Buffer.from([0, 16, 14]),
      Buffer.from("glia.signature"),
      Buffer.from([1]),
    ]);
    await expect(engine.admit(short, all)).rejects.toThrow("1 bytes");
  });

  it("refuses keys of another length", async () => {
    expect(() => signModule(module, new Uint8Array(31))).toThrow(BadKeyError);
    const engine31 = createWasmEngine({ admissionKeys: [new Uint8Array(31)] });
    await expect(engine31.admit(signModule(module, mine.seed), all)).rejects.toThrow(BadKeyError);
    expect(splitSignature(module).signature).toBeUndefined();
  });
});

describe("the cache", () => {
  it("makes a module once per profile and gives the same bytes again", async () => {
    const first = await instrumentCached(original, folder, { profile: "preemptive" });
    const second = await instrumentCached(original, folder, { profile: "preemptive" });
    expect([first.cache, second.cache]).toEqual(["miss", "hit"]);
    expect(Buffer.from(second.bytes).equals(first.bytes)).toBe(true);
    expect(second.hash).toBe(first.hash);
    const other = await instrumentCached(original, folder, { profile: "metered" });
    expect(other.cache).toBe("miss");
    expect(other.hash).not.toBe(first.hash);
    const smaller = await instrumentCached(original, folder, { profile: "metered", maximumPages: 5 });
    expect(smaller.cache).toBe("miss");
    expect(readdirSync(folder).every((name) => /^[0-9a-f]{64}\.wasm$/.test(name))).toBe(true);
  });

  it("notices a damaged, shortened or exchanged entry and makes it anew", async () => {
    const own = mkdtempSync(join(tmpdir(), "glia-cache-"));
    const made = await instrumentCached(original, own);
    const [name = ""] = readdirSync(own);
    const path = join(own, name);
    const good = readFileSync(path);
    const flipped = Buffer.from(good);
    flipped[200] = (flipped[200] as number) ^ 4;
    const foreign = await instrument(assemble(SUMMING.replace("i32.const 7", "i32.const 8")));
    const exchanged = Buffer.concat([Buffer.from(foreign.hash, "hex"), foreign.bytes]);
    const junk = Buffer.concat([Buffer.from(sha256Hex(Buffer.from("junk")), "hex"), Buffer.from("junk")]);
    for (const bad of [flipped, good.subarray(0, 100), Buffer.alloc(0), exchanged, junk]) {
      writeFileSync(path, bad);
      const again = await instrumentCached(original, own);
      expect(again.cache).toBe("repaired");
      expect(again.hash).toBe(made.hash);
      expect(readFileSync(path).equals(good)).toBe(true);
    }
    rmSync(own, { recursive: true });
  });
});

it("the pipeline gives the same bytes on Node 24 and 26, in every profile", async () => {
  const node24 = join(import.meta.dirname, "../../../conformance/runtimes/node24/node_modules/.bin/node");
  const runtimes = [process.execPath, ...(existsSync(node24) ? [node24] : [])];
  const input = join(folder, "original.bin");
  const text = SUMMING.replace("$receive (i32.const 64)", "$receive (i32.const 72)");
  writeFileSync(input, assemble(text));
  const hashes = runtimes.map(
    (runtime) =>
      execFileSync(
        runtime,
        [
          "--conditions=@glia-os/source",
          "--no-warnings",
          join(import.meta.dirname, "instrument-child.ts"),
          input,
          ...PROFILES.slice(1),
        ],
        { encoding: "utf8" },
      ).split("\n")[0],
  );
  const here = await Promise.all(
    PROFILES.slice(1).map(async (profile) => (await instrument(assemble(text), { profile })).hash),
  );
  for (const found of hashes) expect(found).toBe(here.join(" "));
});
