/** `glia wasm` as real processes: guests in C and Rust looked at, run, stopped in the middle and continued elsewhere. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import binaryen from "binaryen";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MOST_UNSEEN } from "../src/wasm/guest-messages.ts";
import { type CliResult, resultOf, runCli, startCli } from "./run-cli.ts";

const guests = join(import.meta.dirname, "..", "..", "..", "conformance", "guests", "prebuilt");
const guest = (name: string): string => join(guests, `${name}.wasm`);
let folder: string;
const at = (name: string): string => join(folder, name);

/** Prints a line and never ends. */
const ENDLESS = `(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory 1) (data (i32.const 0) "\\08\\00\\00\\00\\06\\00\\00\\00begun\\n")
  (func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100))) (loop $l (br $l))))`;
/** Writes lines as fast as it can. */
const CHATTY = ENDLESS.replace(
  "(loop $l (br $l))",
  `(loop $l
  (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100))) (br $l))`,
);
const QUICK = `(module (memory 2) (func (export "glia_main") (result i32) (i32.load (i32.const 0))))`;
const UNKNOWN = `(module (import "env" "system" (func $s (result i32))) (memory 1) (func (export "glia_main") (result i32) (call $s)))`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "glia-wasm-test-"));
  for (const [name, text] of Object.entries({
    endless: ENDLESS,
    chatty: CHATTY,
    quick: QUICK,
    unknown: UNKNOWN,
  })) {
    const module = binaryen.parseText(text);
    writeFileSync(at(`${name}.wasm`), module.emitBinary());
    module.dispose();
  }
  writeFileSync(at("in.txt"), "one\ntwo\n");
  writeFileSync(at("text.wasm"), "#!/bin/sh\n");
  writeFileSync(at("empty.wasm"), "");
  writeFileSync(at("cut.wasm"), readFileSync(guest("sort")).subarray(0, 3000));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The last JSON line. */
function record({
  stdout,
}: CliResult): Record<string, unknown> & { error?: { code: string; message: string } } {
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as never;
}

/** The failure must be one typed error and no stack trace. */
async function refusal(args: readonly string[], stdin = ""): Promise<string> {
  const result = await runCli(["wasm", args[0] as string, "--json", ...args.slice(1)], { stdin });
  expect(result.stderr).not.toContain("    at ");
  expect(result.code).not.toBe(0);
  return `${result.code} ${record(result).error?.code}`;
}

describe("glia wasm inspect", () => {
  it("says what a module asks for, its size in each profile, and that its guests can move", async () => {
    const { code, stdout } = await runCli(["wasm", "inspect", guest("tally")]);
    expect(code).toBe(0);
    expect(stdout).toContain("glia.v1/receive  (i32 i32) -> i32, may wait\n");
    expect(stdout).toMatch(/^none {8}refused: .*receive/m);
    for (const profile of ["cooperative", "metered", "preemptive"])
      expect(stdout).toMatch(new RegExp(`^${profile} +\\d+ bytes, \\d\\.\\d\\d times the original$`, "m"));
    expect(stdout).toMatch(/^can move {4}yes, in glia.v1\/receive, every loop and recursive call/m);
  });

  it("says as JSON why a guest cannot run, and names the imports nobody offers", async () => {
    const found = record(await runCli(["wasm", "inspect", at("unknown.wasm"), "--no-sizes", "--json"]));
    expect(found).toMatchObject({
      ok: true,
      entry: "glia_main",
      imports: [{ module: "env", name: "system", type: "() -> i32", offeredBy: "nobody", suspends: false }],
      profiles: {},
      moves: { can: false, where: [], why: ["nobody here offers env/system"] },
    });
  });

  it("refuses what is no module with a typed error", async () => {
    expect(await refusal(["inspect", at("text.wasm")])).toBe("1 wasm.not-a-module");
    expect(await refusal(["inspect", at("empty.wasm")])).toBe("1 wasm.not-a-module");
    expect(await refusal(["inspect", at("cut.wasm")])).toBe("1 wasm.malformed-module");
    expect(await refusal(["inspect", at("nothing.wasm")])).toBe("1 cli.module-unreadable");
    expect(await refusal(["inspect", folder])).toBe("1 cli.module-unreadable");
    expect(await refusal(["inspect"])).toBe("2 cli.usage");
  });
});

describe("glia wasm run", () => {
  it("runs a C program with arguments, variables and files, raw output and its own streams", async () => {
    const args = ["--env", "B=2", "--env", "A=x=y", "--file", `data/in=${at("in.txt")}`, "--", "-v", "y z"];
    const { code, stdout, stderr } = await runCli(["wasm", "run", guest("report"), ...args]);
    expect([code, stderr]).toEqual([0, "done\n"]);
    expect(stdout.split("\n")).toEqual([
      "argument 1: -v",
      "argument 2: y z",
      "variable B=2",
      "variable A=x=y",
      '/data/in: 8 bytes, begins "one"',
      "writing: Read-only file system",
      "",
    ]);
  });

  it("ends with 1 and the status when the guest's status is not 0, and passes standard input on", async () => {
    const good = await runCli(["wasm", "run", guest("collect"), "--json"], { stdin: "b a b" });
    expect(good.code).toBe(0);
    const events = good.stdout.split("\n").filter((line) => line.includes('"event":"stdout"'));
    const said = events.map((line) => (JSON.parse(line) as { text: string }).text).join("");
    expect(said).toContain("     2 b\n     1 a\n3 words, 2 distinct\n");
    expect(record(good)).toMatchObject({ ok: true, ended: "finished", status: 0, messages: 0 });
    const bad = await runCli(["wasm", "run", guest("collect")]);
    expect([bad.code, bad.stdout]).toEqual([1, ""]);
    expect(bad.stderr).toContain("no words on standard input\n");
    expect(bad.stderr).toContain("glia: The guest ended with status 2.");
  });

  it("gives an agent every line of input as a message and prints its replies, until none is left", async () => {
    const { code, stdout } = await runCli(["wasm", "run", guest("ledger")], { stdin: "a 5\nb 7\na x\n?\n" });
    expect(code).toBe(0);
    expect(stdout).toBe("a 5\nb 7\nrefused: x: invalid digit found in string\na 5\nb 7\n");
  });

  it("stops at the limits given, with a typed error", async () => {
    expect(await refusal(["run", at("endless.wasm"), "--fuel", "1000000"])).toBe("1 wasm.fuel-exhausted");
    expect(await refusal(["run", at("quick.wasm"), "--memory", "1"])).toBe("1 wasm.memory-limit");
    const uncounted = ["run", at("endless.wasm"), "--profile", "cooperative", "--fuel", "5"];
    expect(await refusal(uncounted)).toBe("2 cli.usage");
    expect(await refusal(["run", guest("sort"), "--memory", "0"])).toBe("2 cli.usage");
    expect(await refusal(["run", guest("sort"), "--fuel", "-1"])).toBe("2 cli.usage");
    expect(await refusal(["run", guest("sort"), "--profile", "fast"])).toBe("2 cli.usage");
    expect(await refusal(["run", at("quick.wasm"), "--env", "novalue"])).toBe("2 cli.usage");
    expect(await refusal(["run", at("quick.wasm"), "--file", `a=${at("none")}`])).toBe("1 cli.guest-input");
    expect(await refusal(["run", at("endless.wasm"), "--file", `../a=${at("empty.wasm")}`])).toBe(
      "1 wasm.bad-launch",
    );
    expect(await refusal(["run", at("unknown.wasm")])).toBe("1 wasm.import-not-granted");
  });

  it("keeps instrumented modules, makes a damaged one anew, and runs where nothing can be kept", async () => {
    const quick = ["wasm", "run", at("quick.wasm"), "--json"];
    const run = async (cache: string): Promise<unknown> =>
      record(await runCli(quick, { env: { XDG_CACHE_HOME: at(cache) } }))["ended"];
    expect(await run("kept")).toBe("finished");
    const kept = join(at("kept"), "glia", "wasm");
    const [entry = "", ...more] = readdirSync(kept);
    expect(more).toEqual([]);
    writeFileSync(join(kept, entry), "damaged");
    expect(await run("kept")).toBe("finished");
    expect(readFileSync(join(kept, entry)).length).toBeGreaterThan(100);
    expect(await run("in.txt")).toBe("finished");
  });

  it("ends at Ctrl-C whatever the guest does, in a profile that cannot be stopped from inside too", async () => {
    for (const profile of ["preemptive", "none"]) {
      const child = startCli(["wasm", "run", at("endless.wasm"), "--profile", profile]);
      const ended = resultOf(child);
      child.stdout?.once("data", () => child.kill("SIGINT"));
      const { code, stdout, stderr } = await ended;
      expect([code, stdout], stderr).toEqual([130, "begun\n"]);
    }
  });

  it("ends at Ctrl-C while a module is instrumented", async () => {
    const env = { XDG_CACHE_HOME: at("interrupted") };
    const child = startCli(["wasm", "run", guest("collect")], { env });
    const ended = resultOf(child);
    child.stderr?.once("data", () => child.kill("SIGINT"));
    const { code, stderr } = await ended;
    expect([code, stderr.split("\n")[0]]).toEqual([130, expect.stringMatching(/^instrumenting /)]);
    expect(existsSync(at("interrupted"))).toBe(false);
  });

  it("ends without a stack trace when the reader of its output goes away", async () => {
    const child = startCli(["wasm", "run", at("chatty.wasm")]);
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    let stderr = "";
    child.stderr?.on("data", (text: Buffer) => (stderr += text.toString()));
    child.stdout?.once("data", () => child.stdout?.destroy());
    expect([await ended, stderr]).toEqual([1, ""]);
  });

  it("holds a guest back that writes faster than it is read, and shows all it wrote before it was stopped", async () => {
    const { stdout, code } = await runCli(["wasm", "run", at("chatty.wasm"), "--fuel", "3000000"]);
    expect(code).toBe(1);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(4 * MOST_UNSEEN);
    expect(new Set(lines)).toEqual(new Set(["begun"]));
  });
});

describe("glia wasm snapshot and restore", () => {
  it("move a C program between four processes in the middle of its work; it ends as if it had stayed", async () => {
    const whole = await runCli(["wasm", "run", guest("sort"), "--json", "--", "500"]);
    const { fuelUsed } = record(whole)["error"] === undefined ? (record(whole) as never) : detailsOf(whole);
    const total = fuelUsed as number;
    const first = [
      "wasm",
      "snapshot",
      guest("sort"),
      "--after",
      `${Math.floor(total / 4)}`,
      "--out",
      at("s1"),
    ];
    const outputs = [await runCli([...first, "--json", "--", "500"])];
    for (const part of [2, 3]) {
      const stop = ["--after", `${Math.floor((total * part) / 4)}`, "--out", at(`s${part}`)];
      outputs.push(await runCli(["wasm", "restore", at(`s${part - 1}`), ...stop, "--json"]));
    }
    for (const stopped of outputs) expect(record(stopped)).toMatchObject({ ok: true, ended: "stopped" });
    outputs.push(await runCli(["wasm", "restore", at("s3"), "--json"]));
    const written = (results: readonly CliResult[]): string[] =>
      results.flatMap(({ stdout }) => stdout.split("\n").filter((line) => line.includes('"event"')));
    expect(written(outputs)).toEqual(written([whole]));
    expect(record(outputs[3] as CliResult)).toEqual(record(whole));
    expect(outputs[3]?.code).toBe(whole.code);
  });

  it("take an agent where it waits for a message, and give it the next ones in another process", async () => {
    const stop = ["wasm", "snapshot", guest("ledger"), "--out", at("ledger")];
    const before = await runCli(stop, { stdin: "a 5\nb 7\n" });
    expect([before.code, before.stdout]).toEqual([0, "a 5\nb 7\n"]);
    expect(before.stderr).toMatch(/^stopped in receive at \d+ fuel; wrote .*ledger \(\d+ bytes\)/);
    const after = await runCli(["wasm", "restore", at("ledger"), "--json"], { stdin: "a 1\n." });
    expect(after.stdout).toContain('{"event":"reply","text":"a 6"}');
    expect(record(after).error).toMatchObject({ code: "cli.guest-status", details: { status: 2 } });
  });

  it("refuse damaged, foreign and missing files, and stops that make no sense, with typed errors", async () => {
    const snapshot = readFileSync(at("ledger"));
    const damaged = Uint8Array.from(snapshot);
    damaged[snapshot.length >> 1] = (damaged[snapshot.length >> 1] as number) ^ 1;
    writeFileSync(at("damaged"), damaged);
    const module = ["--module", at("ledger.wasm")];
    expect(await refusal(["restore", at("damaged"), ...module])).toBe("1 wasm.snapshot-corrupt");
    writeFileSync(at("short"), snapshot.subarray(0, 40));
    expect(await refusal(["restore", at("short"), ...module])).toBe("1 wasm.snapshot-corrupt");
    expect(await refusal(["restore", at("ledger"), "--module", at("s1.wasm")])).toBe(
      "1 wasm.snapshot-mismatch",
    );
    expect(await refusal(["restore", at("ledger"), "--module", guest("ledger")])).toBe(
      "1 wasm.not-instrumented",
    );
    expect(await refusal(["restore", at("ledger"), "--module", at("none")])).toBe("1 cli.module-unreadable");
    expect(await refusal(["restore", at("none")])).toBe("1 cli.snapshot-unreadable");
    expect(await refusal(["restore", at("ledger"), "--after", "5"])).toBe("2 cli.usage");
    expect(await refusal(["snapshot", guest("sort"), "--after", "5"])).toBe("2 cli.usage");
    const late = ["snapshot", at("quick.wasm"), "--after", "999999999", "--out", at("late")];
    expect(await refusal(late)).toBe("1 cli.guest-ended");
    expect(() => statSync(at("late"))).toThrow("ENOENT");
    const cooperative = ["--profile", "cooperative", "--after", "5", "--out", at("late")];
    expect(await refusal(["snapshot", at("quick.wasm"), ...cooperative])).toBe("2 cli.usage");
    const nowhere = ["--after", "5000", "--out", join(folder, "no", "such", "folder")];
    expect(await refusal(["snapshot", at("endless.wasm"), ...nowhere])).toBe("1 cli.snapshot-unwritable");
  });
});

function detailsOf(result: CliResult): { fuelUsed: number } {
  return (record(result).error as unknown as { details: { fuelUsed: number } }).details;
}

describe("glia wasm instrument", () => {
  it("writes a module that runs as the one it was made from, and can then be stopped and moved", async () => {
    const made = await runCli(["wasm", "instrument", guest("sort"), "--out", at("sort.out.wasm"), "--json"]);
    expect(record(made)).toMatchObject({ ok: true, profile: "preemptive", module: at("sort.out.wasm") });
    const plain = await runCli(["wasm", "run", guest("sort"), "--", "50"]);
    const run = await runCli(["wasm", "run", at("sort.out.wasm"), "--", "50"]);
    expect([run.code, run.stdout]).toEqual([plain.code, plain.stdout]);
    const report = await runCli(["wasm", "inspect", at("sort.out.wasm"), "--json"]);
    expect(record(report)).toMatchObject({ instrumented: { profile: "preemptive" }, moves: { can: true } });
  });

  it("refuses one that is instrumented, one that is none, and a place it cannot write to", async () => {
    await runCli(["wasm", "instrument", at("quick.wasm"), "--out", at("quick.out.wasm")]);
    expect(await refusal(["instrument", at("quick.out.wasm")])).toBe("2 cli.usage");
    expect(await refusal(["instrument", at("text.wasm")])).toMatch(/^1 wasm\./);
    expect(await refusal(["instrument", at("none.wasm")])).toBe("1 cli.module-unreadable");
    expect(await refusal(["instrument", at("quick.wasm"), "--out", join(folder, "no", "x.wasm")])).toBe(
      "1 cli.folder-unwritable",
    );
  });
});
