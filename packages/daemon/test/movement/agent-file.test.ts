/** Agents in files, on nodes (docs/spec/agent-file.md; AX1, AX2, AI1, AI2, TF2). */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type AgentFileHeader, FILE_START_MAX, type FileSeal, readFileStart } from "@glia-os/cells";
import type { LocalNode } from "@glia-os/daemon";
import { decodeReport, encodeChunk, encodeReportRequest } from "@glia-os/guest-as/word-count";
import { createSystemDigests } from "@glia-os/hal";
import { describe, expect, test } from "vitest";
import type { ExportSeal } from "../../src/movement/file-api.ts";
import { secretForCluster, secretOfCluster, secretOfPassphrase } from "../../src/movement/file-crypto.ts";
import { codeOf, guest, testNodes, text, words } from "./nodes.ts";

const nodes = testNodes();
const PASSPHRASE = { kind: "passphrase", salt: new Uint8Array(16).fill(3), logN: 14, r: 8, p: 1 } as const;
const SEAL: ExportSeal = { kind: "secret", secret: new Uint8Array(32).fill(8), seal: PASSPHRASE as FileSeal };
const SECRET = { secret: new Uint8Array(32).fill(8) };

/** The whole file of an agent. */
async function taken(
  node: LocalNode,
  agent: string,
  { seal = SEAL, stop = false } = {},
): Promise<Uint8Array> {
  const begun = await node.beginExport(agent, seal, stop);
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (
    let piece = await node.readExport(begun.id, 0);
    piece.length > 0;
    piece = await node.readExport(begun.id, at)
  ) {
    pieces.push(piece);
    at += piece.length;
  }
  expect(at).toBe(begun.bytes);
  await node.endExport(begun.id, true);
  return new Uint8Array(Buffer.concat(pieces));
}

async function given(node: LocalNode, file: Uint8Array, more: object = SECRET): Promise<string | undefined> {
  const { id, start } = await node.beginImport({ start: file.subarray(0, FILE_START_MAX), ...more });
  for (let at = start; at < file.length; at += 100_000)
    await node.writeImport(id, file.slice(at, at + 100_000));
  return (await node.endImport(id, true))?.status;
}

const chunk = (sequence: number, line: string): Uint8Array =>
  encodeChunk({ sequence, fileIndex: sequence, first: true, last: true, bytes: text(line) });
const headerOf = (file: Uint8Array): AgentFileHeader => readFileStart(file, createSystemDigests()).header;

describe("an agent in a file", () => {
  test("that was stopped goes on from it at the next epoch on another node, with its messages and its senders' links", async () => {
    const core = await nodes.found();
    const edge = await nodes.joined(core, "edge");
    await core.spawn({ name: "words", module: guest("word-count"), on: "edge" });
    await core.send("words", chunk(1, "one two"));
    await core.flush("words", 5000);
    await core.pause("words");
    await core.send("words", chunk(2, "two three"));
    await core.flush("words", 5000);

    const file = await taken(core, "words", { stop: true });
    expect(headerOf(file)).toMatchObject({ name: "words", epoch: 2, nodeKey: expect.anything() });
    expect(await core.listAgents()).toMatchObject([{ name: "words", status: "exported", epoch: 3 }]);
    expect(Buffer.from(file).includes("one two")).toBe(false);
    expect(
      existsSync(join(nodes.base(), "edge", "exports")) && readdirSync(join(nodes.base(), "edge", "exports")),
    ).toEqual([]);

    expect(await given(edge, file, { ...SECRET, on: "core" })).toBe("suspended");
    expect(await core.listAgents()).toMatchObject([{ ownerName: "core", epoch: 4, live: { waiting: 1 } }]);
    await edge.resume("words");
    const report = decodeReport(await core.ask("words", encodeReportRequest(), 5000));
    expect(report).toMatchObject({ words: 4, applied: 2, lost: 0, duplicated: 0 });
    expect(await codeOf(given(core, file))).toBe("cells.file-owner-lives");
  });

  test("that goes on is not imported beside itself; a copy has a new identity, its memory and no link of the original", async () => {
    const core = await nodes.found();
    const { agent } = await core.spawn({ name: "words", module: guest("word-count") });
    await core.send("words", chunk(1, "one two"));
    const file = await taken(core, "words");
    expect(await core.listAgents()).toMatchObject([{ status: "running", epoch: 1 }]);
    expect(await codeOf(given(core, file))).toBe("cells.file-owner-lives");

    expect(await given(core, file, { ...SECRET, as: "copy" })).toBe("running");
    const [copy] = (await core.listAgents()).filter(({ name }) => name === "copy");
    expect(copy).toMatchObject({ epoch: 1, live: { waiting: 0 } });
    expect(copy?.agent).not.toBe(agent);
    for (const name of ["words", "copy"]) {
      await core.send(name, chunk(2, "three"));
      expect(decodeReport(await core.ask(name, encodeReportRequest(), 5000))).toMatchObject({
        words: 3,
        lost: 0,
      });
    }
    expect(await codeOf(given(core, file, { ...SECRET, as: "copy" }))).toBe("store.name-taken");
    await core.terminate("words");
    expect(await codeOf(given(core, file))).toBe("cells.file-agent-ended");
  });

  test("for the cluster opens on the node that holds its key, and nowhere else", async () => {
    const core = await nodes.found();
    const edge = await nodes.joined(core, "edge");
    await core.spawn({ name: "echo", module: guest("echo"), on: "edge" });
    const file = await taken(core, "echo", { seal: { kind: "cluster" }, stop: true });
    expect(await codeOf(given(edge, file, {}))).toBe("daemon.no-cluster-key");
    expect(await given(core, file, { on: "edge" })).toBe("running");
    expect(words(await core.ask("echo", text("here"), 5000))).toBe("here");
  });

  test("is refused by type when it is changed, cut off, of another cluster, or the secret is another; and leaves nothing", async () => {
    const core = await nodes.found();
    await core.spawn({ name: "echo", module: guest("echo") });
    const file = await taken(core, "echo", { stop: true });
    const changed = file.slice();
    changed[file.length - 100] = (changed[file.length - 100] as number) ^ 1;
    expect(await codeOf(given(core, changed))).toBe("cells.file-corrupt");
    expect(await codeOf(given(core, file.subarray(0, -1)))).toBe("cells.file-corrupt");
    expect(await codeOf(given(core, file.subarray(0, FILE_START_MAX)))).toBe("cells.file-corrupt");
    expect(await codeOf(given(core, file, { secret: new Uint8Array(32) }))).toBe("cells.file-wrong-key");
    expect(await codeOf(given(core, file, {}))).toBe("cells.file-wrong-key");
    expect(await codeOf(given(core, text("something else")))).toBe("cells.file-not-one");
    expect((await core.status()).hosting).toBe(0);

    const other = await nodes.start("core", { kind: "new-cluster" }, "other");
    expect(await codeOf(given(other, file))).toBe("cells.file-other-cluster");
    expect(await codeOf(given(other, file, { ...SECRET, as: "echo" }))).toBe("cells.file-untrusted");
    const { node } = await core.status();
    expect(await given(other, file, { ...SECRET, as: "echo", signer: node })).toBe("running");

    expect(await given(core, file)).toBe("running");
    expect(words(await core.ask("echo", text("still"), 5000))).toBe("still");
  });

  test("that is not kept, and one of a node that stops meanwhile, leaves the agent running", async () => {
    const core = await nodes.found();
    await core.spawn({ name: "echo", module: guest("echo") });
    const { id } = await core.beginExport("echo", SEAL, true);
    expect(await codeOf(core.beginExport("echo", SEAL, true))).toBe("cells.illegal-transition");
    await core.endExport(id, false);
    expect(words(await core.ask("echo", text("on"), 5000))).toBe("on");
    expect(await codeOf(core.readExport(id, 0))).toBe("daemon.unknown-transfer");
    expect(await codeOf(core.readExport("nonsense", 0))).toBe("daemon.unknown-transfer");
    expect(await codeOf(core.beginExport("nobody", SEAL, false))).toBe("daemon.unknown-agent");
  });

  test("ES2: at most eight are taken out at a time", async () => {
    const core = await nodes.found();
    await core.spawn({ name: "echo", module: guest("echo") });
    for (let n = 0; n < 8; n++) await core.beginExport("echo", SEAL, false);
    expect(await codeOf(core.beginExport("echo", SEAL, false))).toBe("daemon.too-many-transfers");
    expect(words(await core.ask("echo", text("on"), 5000))).toBe("on");
  });
});

describe("secrets", () => {
  test("one for the cluster is made again from the cluster's key alone", async () => {
    const { generateKeyPairSync } = await import("node:crypto");
    for (let n = 0; n < 5; n++) {
      const { publicKey, privateKey } = generateKeyPairSync("ed25519");
      const raw = new Uint8Array(publicKey.export({ format: "der", type: "spki" }).subarray(-32));
      const { secret, seal } = secretForCluster(raw);
      const pem = privateKey.export({ format: "pem", type: "pkcs8" }) as string;
      expect(secretOfCluster(pem, seal as Extract<FileSeal, { kind: "cluster" }>)).toEqual(secret);
    }
  });

  test("one of a passphrase is scrypt's (RFC 7914, section 12, by its parameters), the same for the same text", async () => {
    const salt = text("SodiumChloride");
    const secret = await secretOfPassphrase("pleaseletmein", {
      kind: "passphrase",
      salt,
      logN: 14,
      r: 8,
      p: 1,
    });
    // The first 32 bytes of the vector of 64: scrypt's last step is PBKDF2, whose blocks do not depend on the length.
    expect(Buffer.from(secret).toString("hex")).toBe(
      "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2",
    );
  });
});
