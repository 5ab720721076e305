import { createHash, generateKeyPairSync, verify } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasErrorCode } from "@glia-os/abi/errors";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createNodeIdentity, loadOrCreateNodeIdentity } from "../src/index.ts";
import { ed25519PublicKey } from "../src/node-identity.ts";
import { realRandom } from "./ports.ts";

describe("a node identity file", () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "glia-identity-"));
    path = join(folder, "node.pem");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("N2: is created once and loaded afterwards", async () => {
    const first = await loadOrCreateNodeIdentity(path, realRandom);
    const bytes = await readFile(path);
    const second = await loadOrCreateNodeIdentity(path, realRandom);
    expect(second.nodeId).toBe(first.nodeId);
    expect(await readFile(path)).toEqual(bytes);
    expect(await readdir(folder)).toEqual(["node.pem"]);
  });

  it.skipIf(process.platform === "win32")(
    "is readable by its owner alone (needs POSIX file modes)",
    async () => {
      await loadOrCreateNodeIdentity(path, realRandom);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
    },
  );

  it("N1: names the node by SHA-256 of the public key, whose signatures verify", async () => {
    const identity = await loadOrCreateNodeIdentity(path, realRandom);
    expect(identity.nodeId).toBe(createHash("sha256").update(identity.publicKey).digest("hex"));
    const message = Buffer.from("hello");
    expect(verify(null, message, ed25519PublicKey(identity.publicKey), identity.sign(message))).toBe(true);
  });

  it("N3: created by many at the same time gives all of them the same key", async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, () => loadOrCreateNodeIdentity(path, realRandom)),
    );
    expect(new Set(all.map(({ nodeId }) => nodeId)).size).toBe(1);
    expect(await readdir(folder)).toEqual(["node.pem"]);
  });

  it.each([
    ["empty", ""],
    ["text", "not a key"],
    ["a cut key", "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----\n"],
    ["a huge file", "x".repeat(5000)],
    [
      "an RSA key",
      generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "pem", type: "pkcs8" }),
    ],
  ])("N2: that holds %s is refused with wire.identity-corrupt and left alone", async (_, content) => {
    await writeFile(path, content, { mode: 0o600 });
    await expect(loadOrCreateNodeIdentity(path, realRandom)).rejects.toSatisfy((e) =>
      hasErrorCode(e, "wire.identity-corrupt"),
    );
    expect(await readFile(path, "utf8")).toBe(content);
  });

  it.skipIf(process.platform === "win32")(
    "that others can read is refused with wire.identity-exposed (needs POSIX file modes)",
    async () => {
      await loadOrCreateNodeIdentity(path, realRandom);
      await chmod(path, 0o644);
      await expect(loadOrCreateNodeIdentity(path, realRandom)).rejects.toSatisfy((e) =>
        hasErrorCode(e, "wire.identity-exposed"),
      );
    },
  );

  it("in a folder that is not there is refused with wire.identity-file", async () => {
    const missing = join(folder, "nowhere", "node.pem");
    await expect(loadOrCreateNodeIdentity(missing, realRandom)).rejects.toSatisfy((e) =>
      hasErrorCode(e, "wire.identity-file"),
    );
  });

  it("is not needed for an identity in memory, and two of these differ", () => {
    expect(createNodeIdentity().nodeId).not.toBe(createNodeIdentity().nodeId);
  });
});
