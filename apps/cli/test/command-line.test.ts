import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { cliMain, runCli } from "./run-cli.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-cli-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const env = { GLIA_HOME: join(scratch, "home") };

/** One line on standard error: what was wrong, then what to do; and no stack trace. */
function expectOneLine(stderr: string): void {
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(stderr).toMatch(/^glia: .+\. .+\.\n$/);
  expect(stderr).not.toMatch(/\bat .+:\d+:\d+/);
}

it.skipIf(!existsSync("/dev/full"))(
  "a result that cannot be written is a failure, and says why (needs /dev/full)",
  async () => {
    const run = [process.execPath, "--conditions=@glia-os/source", cliMain, "version"];
    const shell = spawnSync("/bin/sh", ["-c", '"$@" > /dev/full', "sh", ...run], { encoding: "utf8" });
    expect(shell.status).toBe(1);
    expectOneLine(shell.stderr);
    expect(shell.stderr).toContain("Standard output cannot be written: the disk is full");
  },
);

describe("a command line that makes no sense", () => {
  it.each([
    [["demo", "--inptu", "x"], "Did you mean --input?"],
    [["mesh", "strat"], "Did you mean start?"],
    [["dem"], "Did you mean demo?"],
    [["mesh", "join"], "missing required argument 'line'"],
    [["mesh", "start"], "--bind is missing"],
    [["mesh", "start", "--resume", "--name", "none"], "remembers no address"],
    [["demo", "extra"], "too many arguments"],
    [["mesh", "start", "--bind", "7400"], '"7400" is not an address'],
    [["mesh", "start", "--bind", "127.0.0.1:65536"], "is not an address"],
    [["mesh", "start", "--bind", "127.0.0.1:0", "--role", "boss"], "Allowed choices are core, relay, edge"],
    [["mesh", "start", "--bind", "127.0.0.1:0", "--name", "../up"], "is not a node name"],
    [
      ["mesh", "start", "--bind", "127.0.0.1:0", "--profile", "slow"],
      "Allowed choices are lan, wan, local, fast, relaxed",
    ],
    [
      ["mesh", "start", "--bind", "127.0.0.1:0", "--transport", "udp"],
      "Allowed choices are auto, quic-only, tls-only",
    ],
    [["mesh", "ping", "x", "--count", "0"], "--count 0 is out of range"],
    [["mesh", "ping", "x", "--timeout", "-1"], "--timeout -1 is out of range"],
    [["mesh", "ping", "x", "--timeout", "soon"], "--timeout soon is out of range"],
    [["mesh", "key", "rotate", "--overlap", "1w"], "--overlap 1w is out of range"],
    [["mesh", "ping"], "missing required argument 'node'"],
    [["mesh", "token", "create", "--ttl", "0s"], "--ttl 0s is out of range"],
    [["mesh", "token", "create", "--ttl", "10"], "--ttl 10 is out of range"],
    [["mesh", "token", "create", "--ttl", "8d"], "--ttl 8d is out of range"],
    [["mesh", "token", "create", "--uses", "1e9"], "--uses 1e9 is out of range"],
    [["agent", "send", "a", "xyz", "--hex"], "not hexadecimal"],
    [["completion", "tcsh"], "'tcsh' is no shell that is known. Allowed choices are bash, zsh, fish"],
    [["agent", "send", "a", "b", "--timeout", "-1"], "--timeout -1 is out of range"],
  ])("%j ends with exit code 2 and one line", async (args, said) => {
    const { code, stdout, stderr } = await runCli(args, { env });
    expect(code).toBe(2);
    expect(stderr).toContain(said);
    expectOneLine(stderr);
    expect(stdout).toBe("");
  });

  it("is an error record on standard output with --json", async () => {
    const { code, stdout, stderr } = await runCli(["demo", "--nope", "--json"], { env });
    expect(code).toBe(2);
    const record = JSON.parse(stdout) as { ok: boolean; error: { code: string } };
    expect([record.ok, record.error.code]).toEqual([false, "cli.usage"]);
    expectOneLine(stderr);
  });

  it("shows the help of a group that was given no command, with exit code 2", async () => {
    const { code, stderr } = await runCli(["agent"], { env });
    expect(code).toBe(2);
    expect(stderr).toContain("Usage: glia agent");
  });
});

describe("help and versions", () => {
  it("prints help to standard output with exit code 0", async () => {
    for (const args of [["--help"], ["help", "demo"], ["mesh", "start", "-h"]]) {
      const { code, stdout, stderr } = await runCli(args, { env });
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toContain("Examples:");
    }
  });

  it("prints the package's version alone with --version, and all versions with version --json", async () => {
    const short = await runCli(["--version"], { env });
    const long = await runCli(["version", "--json"], { env });
    expect([short.code, long.code]).toEqual([0, 0]);
    const versions = JSON.parse(long.stdout) as Record<string, unknown>;
    expect(short.stdout).toBe(`${versions["glia"]}\n`);
    expect(versions["node"]).toBe(process.versions.node);
  });

  it("colours nothing when standard output is not a terminal", async () => {
    const { stdout } = await runCli(["doctor"], { env });
    expect(stdout).not.toContain("\u001b");
  });
});

describe("on a terminal", () => {
  /** Standard output of a command whose output is a terminal. */
  function onTerminal(args: string, change: Record<string, string>): string {
    const command = `'${process.execPath}' --conditions=@glia-os/source '${cliMain}' ${args}`;
    const terminal = {
      ...process.env,
      ...env,
      TERM: "xterm-256color",
      CI: undefined,
      FORCE_COLOR: undefined,
      NO_COLOR: undefined,
    };
    return execFileSync("script", ["-qec", command, "/dev/null"], {
      encoding: "utf8",
      env: { ...terminal, ...change },
    });
  }

  it.runIf(existsSync("/usr/bin/script"))(
    "results are coloured, but never with NO_COLOR (needs script)",
    () => {
      expect(onTerminal("doctor", {})).toContain("\u001b[32mok");
      expect(onTerminal("doctor", { NO_COLOR: "1" })).not.toContain("\u001b");
      expect(onTerminal("doctor --json", {})).not.toContain("\u001b");
    },
  );
});

describe("input that cannot be counted", () => {
  it.each([
    ["there is no such folder", () => join(scratch, "nowhere"), "cli.input-missing"],
    ["it is a file", () => file("plain.txt", "text"), "cli.input-not-directory"],
    ["it lies below a file", () => join(file("plain.txt", "text"), "below"), "cli.input-not-directory"],
    ["it holds no regular file", () => mkdtempSync(join(scratch, "empty-")), "cli.input-empty"],
  ])("is refused before any process is started when %s", async (_, pathOf, code) => {
    const path = pathOf();
    const result = await runCli(["demo", "--input", path, "--json"], { env });
    expect(result.code).toBe(1);
    expect((JSON.parse(result.stdout) as { error: { code: string } }).error.code).toBe(code);
    expectOneLine(result.stderr);
    expect(result.stderr).toContain(path);
  });
});

describe("a machine and its nodes", () => {
  it("doctor says what the machine is, checks it, and exits 0 on one that runs these tests", async () => {
    const { code, stdout } = await runCli(["doctor", "--json"], { env });
    const record = JSON.parse(stdout) as {
      ok: boolean;
      checks: { ok: boolean }[];
      hardware: { coreCount: number };
    };
    expect([code, record.ok]).toEqual([0, true]);
    expect(record.checks.length).toBeGreaterThanOrEqual(8);
    expect(record.hardware.coreCount).toBeGreaterThan(0);
  });

  it("doctor exits 1 and says why when the port is taken", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const { code, stdout, stderr } = await runCli(["doctor", "--bind", `127.0.0.1:${port}`], { env });
    server.close();
    expect(code).toBe(1);
    expect(stdout).toMatch(/^no {2}listening .*another process listens there\. Choose another/m);
    expectOneLine(stderr);
  });

  it("doctor exits 1 when the data folder would lie below a file", async () => {
    const { code, stdout } = await runCli(["doctor", "--data", join(file("plain.txt", "text"), "data")], {
      env,
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^no {2}data folder/m);
  });

  it.each([
    ["no node runs", ["mesh", "status"]],
    ["no node has that name", ["agent", "list", "--name", "absent"]],
    ["no node has that folder", ["mesh", "token", "create", "--data", scratch]],
  ])("commands say what to do when %s", async (_, args) => {
    const { code, stderr } = await runCli(args, { env });
    expect(code).toBe(1);
    expectOneLine(stderr);
    expect(stderr).toContain("glia mesh start");
  });

  it.each([["journal", "list"], ["approvals"], ["approve", "0123"]])(
    "a folder without a journal is named, and how one comes about: %s",
    async (command, ...more) => {
      const id = more.filter((word) => word !== "list");
      const words = [command, ...more.filter((word) => word === "list")];
      for (const [folder, why] of [
        [join(scratch, "nowhere"), "there is no such file or folder"],
        [file("plain.txt", "text"), "it is no folder"],
      ] as const) {
        const { code, stderr } = await runCli([...words, folder, ...id], { env });
        expect([code, stderr]).toEqual([1, expect.stringContaining(`${folder} has no journal: ${why}`)]);
        expectOneLine(stderr);
        expect(stderr).toContain("--journal FOLDER");
      }
    },
  );

  it("up says that it found no configuration and holds to defaults, and how to make one, before anything else", async () => {
    const cwd = mkdtempSync(join(scratch, "unconfigured-"));
    const { code, stderr } = await runCli(["up", "--join", "no-line.txt"], { env, cwd });
    const [first = "", second = ""] = stderr.split("\n");
    expect(first).toMatch(
      / info {2}no configuration file in this folder, so defaults hold; `glia config init` writes one/,
    );
    expect([code, second]).toEqual([1, expect.stringMatching(/^glia: /)]);
  });

  it("a folder in which no program kept a journal has no approvals, and is not one where nothing waits", async () => {
    const { code, stderr } = await runCli(["approvals", mkdtempSync(join(scratch, "bare-"))], { env });
    expect([code, stderr]).toEqual([1, expect.stringContaining("no program has kept a journal there")]);
  });

  it("an agent's module or source that is not there, or is a folder, is named", async () => {
    for (const path of [join(scratch, "absent.wasm"), join(scratch, "absent.ts"), scratch]) {
      const { code, stderr } = await runCli(["agent", "spawn", path], { env });
      expect(code).toBe(1);
      expectOneLine(stderr);
      expect(stderr).toContain(path);
    }
  });

  it("a message over the limit is refused before a node is asked", async () => {
    const stdin = new Uint8Array(1024 * 1024 + 1);
    const { code, stderr } = await runCli(["agent", "send", "a", "-"], { env, stdin });
    expect(code).toBe(1);
    expect(stderr).toContain("longer than 1048576 bytes");
  });

  it("standard input without a join line is refused", async () => {
    const { code, stderr } = await runCli(["mesh", "join", "-"], { env, stdin: "\n \n" });
    expect(code).toBe(1);
    expectOneLine(stderr);
    expect(stderr).toContain("join line");
  });
});

function file(name: string, text: string): string {
  const path = join(scratch, name);
  writeFileSync(path, text);
  return path;
}
