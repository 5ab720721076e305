import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { AgentView } from "@glia-os/daemon";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { dataFolder, listening, memory, nodeVersion, openFileLimit, wasm } from "../src/doctor/checks.ts";
import { chooseAgent } from "../src/node/choose-agent.ts";
import { checkNodeName, dataDirOf, defaultNodeName, gliaHome, knownNodes } from "../src/node/data-dir.ts";
import { readAll, readFirstLine } from "../src/node/first-line.ts";
import { formatHostPort, parseHostPort } from "../src/node/host-port.ts";
import { readJoinLine } from "../src/node/join-line.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-choices-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const input = (...chunks: string[]): NodeJS.ReadStream =>
  Readable.from(chunks.map((chunk) => Buffer.from(chunk))) as unknown as NodeJS.ReadStream;

describe("addresses", () => {
  it("are read as they are written, for names, IPv4 and IPv6", () => {
    const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[a-z][a-z0-9-]{0,20}(\.[a-z]{2,6})?$/));
    fc.assert(
      fc.property(host, fc.integer({ min: 0, max: 65_535 }), (name, port) => {
        expect(parseHostPort(formatHostPort({ host: name, port }))).toEqual({ host: name, port });
      }),
    );
  });

  it.each([
    "",
    "host",
    ":80",
    "host:",
    "host:-1",
    "host:65536",
    "::1:80",
    "a b:80",
    "[::1]",
    "host:80:90",
    "h:1e3",
  ])("%j is none", (text) => {
    expect(() => parseHostPort(text)).toThrow("is not an address");
  });
});

describe("data folders", () => {
  it("follow --data, then GLIA_HOME, then XDG_STATE_HOME if it is absolute, then the home folder (D1)", () => {
    expect(gliaHome({ GLIA_HOME: "/g", XDG_STATE_HOME: "/x" })).toBe("/g");
    expect(gliaHome({ XDG_STATE_HOME: "/x" })).toBe(join("/x", "glia"));
    for (const env of [{}, { GLIA_HOME: "" }, { XDG_STATE_HOME: "relative" }])
      expect(gliaHome(env)).toBe(join(homedir(), ".local", "state", "glia"));
    expect(dataDirOf("ignored", "/d")).toBe("/d");
  });

  it("are never outside the home, whatever the name", () => {
    for (const name of ["", "..", "a/b", "/etc", "A", "x".repeat(33), ".hidden", "a\0b"])
      expect(() => checkNodeName(name)).toThrow("is not a node name");
    for (const role of ["core", "relay", "edge"] as const)
      expect(checkNodeName(defaultNodeName(role))).toMatch(role);
  });

  it("are known by the folders of the home; a home that is not there holds none", () => {
    mkdirSync(join(scratch, "home/b"), { recursive: true });
    mkdirSync(join(scratch, "home/a"));
    writeFileSync(join(scratch, "home/file"), "");
    expect(knownNodes(join(scratch, "home"))).toEqual(["a", "b"]);
    expect(knownNodes(join(scratch, "none"))).toEqual([]);
  });
});

describe("choosing an agent", () => {
  const agents = [
    { agent: `aaaaaa11${"0".repeat(24)}`, name: "first" },
    { agent: `aaaaaa22${"0".repeat(24)}`, name: "second" },
    { agent: `bbbbbb00${"0".repeat(24)}`, name: "aaaaaa11" },
  ] as unknown as AgentView[];
  const choose = (text: string) =>
    chooseAgent({ listAgents: async () => agents }, text).then(({ name }) => name);

  it("takes a name, a whole id, or a prefix of 6 characters or more that only one has; names win", async () => {
    expect(await choose("second")).toBe("second");
    expect(await choose(agents[1]?.agent ?? "")).toBe("second");
    expect(await choose("bbbbbb")).toBe("aaaaaa11");
    expect(await choose("aaaaaa2")).toBe("second");
    expect(await choose("aaaaaa11")).toBe("aaaaaa11");
  });

  it("refuses what fits several, naming them, and what fits none", async () => {
    await expect(choose("aaaaaa")).rejects.toMatchObject({
      code: "cli.agent-ambiguous",
      message: expect.stringMatching(/first \(aaaaaa110+\), second \(aaaaaa220+\)/),
    });
    for (const text of ["third", "bbbbb", "", "cccccc"])
      await expect(choose(text)).rejects.toMatchObject({ code: "cli.agent-unknown" });
  });
});

describe("text from outside", () => {
  it("a first line is found however the stream is cut, and what follows stays unread", async () => {
    const stream = input("\n  li", "ne one \nline", " two");
    expect(await readFirstLine(stream, 100)).toBe("line one");
    expect(stream.readableEnded).toBe(false);
    expect(await readFirstLine(input("only"), 100)).toBe("only");
    expect(await readFirstLine(input(" \n"), 100)).toBeUndefined();
  });

  it("is given up past its limit (L1)", async () => {
    expect(await readFirstLine(input("x".repeat(60), "x".repeat(60)), 100)).toBeUndefined();
    expect(await readAll(input("x".repeat(60), "x".repeat(60)), 100)).toBeUndefined();
    expect((await readAll(input("x".repeat(60), "x".repeat(40)), 100))?.length).toBe(100);
  });

  it("a join line is the argument, the first line of a file, or of standard input", async () => {
    const path = join(scratch, "line");
    writeFileSync(path, "\n from-file \nmore\n");
    expect(await readJoinLine(" direct ", input())).toBe("direct");
    expect(await readJoinLine(path, input())).toBe("from-file");
    expect(await readJoinLine("-", input("from-stdin\n"))).toBe("from-stdin");
    await expect(readJoinLine("-", input())).rejects.toMatchObject({ code: "cli.join-line-missing" });
    await expect(readJoinLine(scratch, input())).rejects.toMatchObject({ code: "cli.join-line-missing" });
  });
});

describe("the doctor's checks", () => {
  it("refuse what is too old or too small, and accept what is unknown or unlimited", () => {
    expect([nodeVersion("24.0.0"), nodeVersion("22.9.1"), nodeVersion("")].map(({ ok }) => ok)).toEqual([
      true,
      false,
      false,
    ]);
    expect(memory({ effectiveMemoryBytes: 64 * 1024 * 1024 }).ok).toBe(false);
    expect(memory({}).ok).toBe(true);
    expect(
      [openFileLimit(1024), openFileLimit(64), openFileLimit("unlimited"), openFileLimit(undefined)].map(
        ({ ok }) => ok,
      ),
    ).toEqual([true, false, true, true]);
    expect(wasm({}).found).toBe("without simd128, bulkMemory, multiMemory");
  });

  it("try the folder and the address, and leave nothing behind", async () => {
    expect(await dataFolder(join(scratch, "not/yet/there"))).toMatchObject({ ok: true });
    expect(knownNodes(scratch).filter((name) => name.includes("doctor") || name === "not")).toEqual([]);
    writeFileSync(join(scratch, "file"), "");
    expect(await dataFolder(join(scratch, "file/below"))).toMatchObject({ ok: false });
    expect(await listening({ host: "127.0.0.1", port: 0 })).toMatchObject({ ok: true });
    expect(await listening({ host: "203.0.113.1", port: 0 })).toMatchObject({
      ok: false,
      found: expect.stringContaining("this machine does not have that address"),
    });
  });
});
