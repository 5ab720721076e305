/** Completion of what running nodes know, typed into the shells that are installed here. */
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandWords } from "../src/completion/command-words.ts";
import { allCandidates, isPlain } from "../src/completion/live-words.ts";
import { placeAfter } from "../src/completion/place.ts";
import { completionScript, SHELLS } from "../src/completion/shell-scripts.ts";
import { createProgram } from "../src/program.ts";
import { Terminal } from "../src/terminal/terminal.ts";
import { type ReadyNode, startReadyNode } from "./ready-node.ts";
import { cliMain, runCli } from "./run-cli.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-live-completion-"));
const env = { GLIA_HOME: join(scratch, "home"), NO_COLOR: "1" };
const inject = "$(touch injected)";
let hub: ReadyNode;
let agent: string;

/** A `glia` that answers completion as the real one does, and only says what else it is called with. */
const SHIM = `#!/bin/sh
if [ "$1" = complete ]; then exec "${process.execPath}" --conditions=@glia-os/source "${cliMain}" "$@"; fi
echo "RAN<$*>"
`;

const terminal = new Terminal({ out: process.stdout, err: process.stderr, json: true, verbose: false });
const context = { terminal, interrupt: new AbortController().signal, stdin: process.stdin };
const tree = commandWords(createProgram(context, { code: 0 }, () => "0.0.0"));

beforeAll(async () => {
  const shim = join(scratch, "glia");
  writeFileSync(shim, SHIM);
  chmodSync(shim, 0o755);
  mkdirSync(join(env.GLIA_HOME, inject), { recursive: true });
  const start = ["mesh", "start", "--bind", "127.0.0.1:0", "--name", "hub"];
  for (const shell of SHELLS) writeFileSync(join(scratch, `${shell}.script`), completionScript(shell, tree));
  hub = await startReadyNode(start, env);
  const echo = fileURLToPath(import.meta.resolve("@glia-os/guest-as/guests/echo.wasm"));
  const spawned = await runCli(["agent", "spawn", echo, "--as", "echo-one", "--json"], { env });
  agent = (JSON.parse(spawned.stdout) as { agent: { agent: string } }).agent.agent;
  process.env["GLIA_HOME"] = env.GLIA_HOME;
}, 60_000);

afterAll(async () => {
  delete process.env["GLIA_HOME"];
  hub?.child.kill("SIGTERM");
  await hub?.result;
  rmSync(scratch, { recursive: true, force: true });
});

/** What is offered in the place of the last word. */
function offered(...words: string[]): Promise<readonly string[]> {
  return allCandidates(placeAfter(tree, words.slice(0, -1)), words.at(-1) ?? "", 60_000);
}

describe("what running nodes offer", () => {
  it("are agents by name and, where one was begun, by id; then members, nodes of this machine, and words of options", async () => {
    expect(await offered("agent", "logs", "ec")).toEqual(["echo-one"]);
    expect(await offered("agent", "migrate", "--name", "hub", "echo-one", "")).toEqual(["hub"]);
    expect(await offered("agent", "migrate", "echo-one", "--name", "")).toEqual(["hub"]);
    expect(await offered("mesh", "route", "")).toEqual(["echo-one", "hub"]);
    expect(await offered("agent", "terminate", agent.slice(0, 4))).toEqual([agent]);
    const strategies = await offered("agent", "migrate", "echo-one", "--strategy", "p");
    expect(strategies).toEqual(["post-copy", "pre-copy"]);
    const priorities = await offered("agent", "send", "echo-one", "x", "--priority", "");
    expect(priorities).toEqual(["high", "low", "normal"]);
  });

  it("PC1: are the same after an option and its value in one word", async () => {
    expect(await offered("agent", "logs", "--name=hub", "ec")).toEqual(["echo-one"]);
    expect(await offered("agent", "logs", "--name=nobody", "ec")).toEqual([]);
    expect(await offered("--json=x", "agent", "logs", "ec"), "what takes no value leads nowhere").toEqual([
      "echo-one",
    ]);
    const typed = await runCli(["complete", "--", "agent", "logs", "--name=hu"], { env });
    expect(typed.stdout, "as fish asks for the value").toBe("hub\n");
  });

  it("LW1: are nothing, without a complaint, where no node answers; LW2: nothing that a shell would run", async () => {
    expect(await offered("agent", "logs", "--name", "nobody", "")).toEqual([]);
    expect(await offered("agent", "logs", "--name", "../..", "")).toEqual([]);
    expect(await offered("agent", "logs", "--data", join(scratch, "missing"), "")).toEqual([]);
    expect(await offered("top", "--name", "")).toEqual(["hub"]);
    expect(await offered("no", "such", "command", "")).toEqual(expect.arrayContaining(["mesh"]));
    for (const word of [inject, "`id`", "a b", "a;b", "a\nb", "-rf", "~root", "a*", ""])
      expect(isPlain(word), word).toBe(false);
    for (const word of ["echo-one", "w.2", "0af3"]) expect(isPlain(word), word).toBe(true);
  });

  it("are printed for other programs by `glia complete`", async () => {
    const { code, stdout } = await runCli(["complete", "--json", "--", "top", "--name", "=", "h"], { env });
    expect([code, JSON.parse(stdout)]).toEqual([0, { ok: true, words: ["hub"] }]);
  });
});

/** Types `argv[1]` at the first prompt of a shell on a terminal, and prints everything it wrote. */
const TYPED = `
import pty, os, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
out = b""
typed = False
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data: break
    out += data
    if not typed and b"ready> " in out:
        typed = True
        os.write(fd, sys.argv[1].encode())
os.waitpid(pid, 0)
sys.stdout.buffer.write(out)
`;

const has = (program: string): boolean => spawnSync(program, ["-c", "0"]).error === undefined;

/** What the shim was called with when these keys were typed. */
async function ran(keys: string, ...shell: readonly string[]): Promise<readonly string[]> {
  const child = spawn("python3", ["-c", TYPED, keys, ...shell], {
    cwd: scratch,
    env: { ...env, PATH: `${scratch}:${process.env["PATH"]}`, TERM: "dumb", HOME: scratch, PS1: "ready> " },
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  await new Promise((resolve) => child.once("close", resolve));
  expect(existsSync(join(scratch, "injected"))).toBe(false);
  const calls = [...out.matchAll(/RAN<(.*?)>/g)].map(([, words = ""]) => words.trim());
  expect(calls.length, out).toBeGreaterThan(0);
  return calls;
}

describe.skipIf(!has("python3"))("Tab on a terminal (needs python3)", () => {
  it("completes an agent and the node it goes to in bash", async () => {
    writeFileSync(join(scratch, "bashrc"), "PS1='ready> '; source bash.script\n");
    const keys = "glia agent migrate ec\t--name \th\t\rglia completion f\t\rexit\r";
    expect(await ran(keys, "bash", "--rcfile", "bashrc", "-i")).toEqual([
      "agent migrate echo-one --name hub hub",
      "completion fish",
    ]);
  });

  it("completes an agent in zsh", async ({ skip }) => {
    skip(!has("zsh"), "zsh is not installed: nothing was typed into it");
    writeFileSync(
      join(scratch, ".zshrc"),
      "PS1='ready> '\nautoload -Uz compinit && compinit -u -D\nsource ./zsh.script\n",
    );
    const keys = "glia agent terminate ec\t\rglia completion f\t\rexit\r";
    expect(await ran(keys, "zsh", "-i")).toEqual(["agent terminate echo-one", "completion fish"]);
  });

  it("offers an agent and a node in fish", async ({ skip }) => {
    skip(!has("fish"), "fish is not installed: nothing was typed into it");
    const lines = ["glia agent terminate ec", "glia agent list --name ", "glia completion z"];
    const asked = lines.map((line) => `complete -C ${JSON.stringify(line)}`).join("; ");
    const { stdout, stderr } = spawnSync("fish", ["--no-config", "-c", `source fish.script; ${asked}`], {
      cwd: scratch,
      encoding: "utf8",
      env: { ...env, PATH: `${scratch}:${process.env["PATH"]}`, HOME: scratch },
    });
    const offers = stdout
      .trim()
      .split("\n")
      .map((line) => line.split("\t")[0]);
    expect([offers, stderr]).toEqual([["echo-one", "hub", "zsh"], ""]);
  });
});
