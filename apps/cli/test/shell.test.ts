import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createProgram } from "../src/program.ts";
import { History, LINES_MAX } from "../src/shell/history.ts";
import { completion } from "../src/shell/shell.ts";
import { wordsOf } from "../src/shell/words.ts";
import { Terminal } from "../src/terminal/terminal.ts";
import { cliMain, runCli } from "./run-cli.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-shell-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const env = { GLIA_HOME: join(scratch, "home"), NO_COLOR: "1" };

const terminal = new Terminal({ out: process.stdout, err: process.stderr, json: false, verbose: false });
const program = createProgram(
  { terminal, interrupt: new AbortController().signal, stdin: process.stdin },
  { code: 0 },
  () => "0.0.0",
);

describe("a line of the shell", () => {
  it("is split as people know it, and nothing in it is expanded", () => {
    for (const [line, words] of [
      ["", []],
      ["  agent   list ", ["agent", "list"]],
      [`agent send a '{"x": 1}'`, ["agent", "send", "a", '{"x": 1}']],
      [String.raw`a "b \"c\" \n" 'd\'e`, ["a", String.raw`b "c" \n`, String.raw`d\e`]],
      [String.raw`one\ word $HOME * ~`, ["one word", "$HOME", "*", "~"]],
      ["version # and more", ["version"]],
      ["a#b ''", ["a#b", ""]],
    ] as const)
      expect(wordsOf(line)).toEqual({ kind: "words", words });
    for (const [line, quote] of [
      ["a 'b", "'"],
      ['"', '"'],
      ["a\\", "\\"],
    ] as const)
      expect(wordsOf(line)).toEqual({ kind: "unfinished", quote });
  });

  it("is completed from the command tree: commands, options, and values that an option is limited to", async () => {
    const words = async (line: string): Promise<readonly string[]> =>
      (await completion(program, line))[0].map((word) => word.trim());
    expect(await words("mesh st")).toEqual(["start", "status"]);
    expect(await words("")).toEqual(expect.arrayContaining(["agent", "mesh", "run", "shell"]));
    expect(await words("top --i")).toEqual(["--interval"]);
    expect(await words("logs --level w")).toEqual(["warn"]);
    expect(await words("glia mesh token c")).toEqual(["create"]);
    expect(await words("agent send x --priority h")).toEqual(["high"]);
    expect(await words("nothing of the kind ")).toEqual(await words(""));
    expect(await words("agent send 'open ")).toEqual([]);
  });
});

describe("the history", () => {
  it("HI1, HI2: is bounded, private, without repetitions and without lines that begin with a blank", () => {
    const path = join(scratch, "history");
    const history = new History(path);
    for (let n = 0; n < LINES_MAX + 5; n++) history.add(`line ${n}`);
    for (const line of [" secret", "", "again", "again"]) history.add(line);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const kept = new History(path).lines();
    expect(kept).toHaveLength(LINES_MAX);
    expect(kept.slice(-2)).toEqual([`line ${LINES_MAX + 4}`, "again"]);
    expect(readFileSync(path, "utf8")).not.toContain("secret");
  });

  it("HI3: a place that cannot be written costs the history only", () => {
    writeFileSync(join(scratch, "file"), "");
    const history = new History(join(scratch, "file", "history"));
    history.add("one");
    expect(history.lines()).toEqual(["one"]);
  });
});

describe("glia shell", () => {
  it("SH3: runs lines from standard input, each as a command, and ends at the first that fails with its code", async () => {
    const lines =
      "# a comment\nversion --json\nglia version --json\n\nagent list --name nobody\nversion --json\n";
    const { code, stdout, stderr } = await runCli(["shell"], { env, stdin: lines });
    expect(code).toBe(1);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as object),
    ).toMatchObject([{ ok: true }, { ok: true }]);
    expect(stderr).toMatch(/^glia: .*nobody/);
    expect((await runCli(["shell"], { env, stdin: "exit\nno-such-command\n" })).code).toBe(0);
    expect((await runCli(["shell"], { env, stdin: "no-such-command\n" })).code).toBe(2);
    expect(await runCli(["shell"], { env, stdin: "send 'x\n" })).toMatchObject({
      code: 2,
      stderr: "glia: the line ends inside '\n",
    });
    expect((await runCli(["shell", "--json"], { env })).code).toBe(2);
  });

  const python = spawnSync("python3", ["-c", "import pty"]).status === 0;

  it.skipIf(!python)(
    "SH1, SH2 (needs python3): on a terminal a failed command and Ctrl-C leave the prompt, Ctrl-D ends it",
    async () => {
      const command = [process.execPath, "--conditions=@glia-os/source", cliMain, "shell"];
      const child = spawn("python3", ["-c", TYPED, ...command], {
        env: { ...process.env, NODE_OPTIONS: "", ...env },
      });
      let out = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
      const code = await new Promise((resolve) => child.once("close", resolve));
      expect([code, out.trim().split("\n").at(-1)]).toEqual([0, "END 0"]);
      expect(out).toMatch(/glia: .*nobody[\s\S]*\^C[\s\S]*"ok":true/);
      expect(new History(join(env.GLIA_HOME, "shell-history")).lines()).toEqual([
        "agent list --name nobody",
        "version --json",
      ]);
    },
  );
});

/** Types at each prompt: a command that fails, a line given up by Ctrl-C, a command that works, Ctrl-D. */
const TYPED = `
import pty, os, sys
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    os.execvp(sys.argv[1], sys.argv[1:])
keys = [b"agent list --name nobody\\r", b"half a line", b"\\x03", b"version --json\\r", b"\\x04"]
wait = [[b"glia> "], [b"glia: ", b"glia> "], [b"half a line"], [b"^C", b"glia> "], [b'"ok":true', b"glia> "]]
out = b""
seen = 0
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    out += data
    while keys:
        at = out.find(wait[0][0], seen)
        if at < 0: break
        seen = at + len(wait[0].pop(0))
        if wait[0]: continue
        wait.pop(0)
        os.write(fd, keys.pop(0))
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.buffer.write(out)
print("\\nEND", code)
`;
