import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { useRunFolder } from "../src/top/run-folder.ts";
import { QUESTION_BYTES } from "../src/top/state-server.ts";
import { Programs } from "./programs.ts";
import { cliMain } from "./run-cli.ts";

const all: Programs[] = [];
afterAll(() => {
  for (const each of all) each.clear();
});

/** A folder of its own, with a program that lives until it is interrupted. */
function newPrograms(): { programs: Programs; sockets: string } {
  const programs = new Programs();
  all.push(programs);
  programs.write(
    "alive.ts",
    `export default function* (sys) {
      for (const name of ["left", "right"]) sys.spawn(function* (sys) { yield* sys.waitOn(name); }, { name });
      console.log("ready");
      for (;;) yield* sys.sleep(1000);
    }`,
  );
  return { programs, sockets: join(programs.runtime, "glia") };
}

async function alive(programs: Programs) {
  const run = programs.start(["run", "alive.ts", "word"]);
  await run.until("stdout", /ready/);
  return run;
}

describe("glia top", () => {
  it("--once --json gives the tasks, states and counts of the one program that runs", async () => {
    const { programs } = newPrograms();
    const run = await alive(programs);
    const { code, stdout } = await programs.run(["top", "--once", "--json"]);
    expect(code).toBe(0);
    const view = JSON.parse(stdout) as { state: { tasks: readonly object[] } };
    expect(view).toMatchObject({
      ok: true,
      pid: run.pid,
      file: "alive.ts",
      args: ["word"],
      state: { omitted: 0, queues: [] },
    });
    expect(view.state.tasks).toMatchObject([
      { name: "main", state: "sleeping", waitsIn: "sleep" },
      { name: "left", state: "waiting", waitsIn: "waitOn", waitsFor: 'key "left"' },
      { name: "right", state: "waiting" },
    ]);
    const people = await programs.run(["top", "--once"]);
    expect(people.stdout).toMatch(
      /^glia top {2}alive\.ts {2}process \d+ .*\ntasks {5}3 live: 1 sleeping, 2 waiting\n/,
    );
    expect(people.stdout).toMatch(/left +\/0\/0 +waiting +normal +waitOn +key "left"/);
  });

  it("lists several programs and wants --pid; --pid shows that one", async () => {
    const { programs } = newPrograms();
    const [a, b] = await Promise.all([alive(programs), alive(programs)]);
    const listed = await programs.run(["top", "--once"]);
    expect([listed.code, listed.stderr]).toEqual([1, expect.stringContaining("Name one with --pid PID")]);
    for (const { pid } of [a, b]) expect(listed.stdout).toMatch(new RegExp(`^${pid} +alive\\.ts`, "m"));
    const one = await programs.run(["top", "--once", "--json", "--pid", String(b.pid)]);
    expect(JSON.parse(one.stdout)).toMatchObject({ pid: b.pid });
    const json = await programs.run(["top", "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, error: { code: "cli.run-ambiguous" } });
  });

  it("says that no program runs, or that a process is none; bad options are usage errors", async () => {
    const { programs } = newPrograms();
    expect(await programs.run(["top"])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^glia: No program and no node runs\./),
    });
    const other = await programs.run(["top", "--pid", "1", "--json"]);
    expect(JSON.parse(other.stdout)).toMatchObject({
      error: { code: "cli.run-not-found", details: { pid: 1 } },
    });
    for (const args of [
      ["--pid", "x"],
      ["--pid", "-1"],
      ["--interval", "0"],
      ["--interval", "3601"],
      ["--interval", "a"],
    ])
      expect((await programs.run(["top", ...args])).code).toBe(2);
  });

  it("TP1, TP2: prints again and again where it is no terminal, and ends well when the program does", async () => {
    const { programs } = newPrograms();
    const run = await alive(programs);
    const top = programs.start(["top", "--interval", "0.1", "--json"]);
    await top.until("stdout", /(?:"ok":true[\s\S]*){3}/);
    run.child.kill("SIGINT");
    const { code, stderr } = await top.result;
    expect([code, stderr]).toEqual([0, `glia: process ${run.pid} has ended\n`]);
  });

  it("TP2: Ctrl-C and a reader that goes away end it, the program goes on", async () => {
    const { programs } = newPrograms();
    const run = await alive(programs);
    const [interrupted, unread] = [programs.start(["top"]), programs.start(["top", "--interval", "0.1"])];
    await Promise.all([interrupted.until("stdout", /sleeping/), unread.until("stdout", /sleeping/)]);
    interrupted.child.kill("SIGINT");
    unread.child.stdout?.destroy();
    expect([(await interrupted.result).code, (await unread.result).code]).toEqual([0, 0]);
    expect(run.child.exitCode).toBeNull();
  });

  it("reports a program whose loop a task holds", async () => {
    const { programs } = newPrograms();
    programs.write(
      "hog.ts",
      "export default function* (sys) { console.log('ready'); yield* sys.sleep(1); for (;;); }",
    );
    const run = programs.start(["run", "hog.ts"]);
    await run.until("stderr", /has held the loop/);
    const { code, stdout } = await programs.run(["top", "--once", "--json"]);
    expect([code, (JSON.parse(stdout) as { error: { code: string } }).error.code]).toEqual([
      1,
      "cli.run-silent",
    ]);
  });
});

const python = spawnSync("python3", ["-c", "import pty"]).status === 0;

/** Runs a command on a terminal of 30 rows and 90 columns, which is 6 by 40 after two frames, then types `keys`; prints what it wrote. */
const ON_TERMINAL = `
import pty, os, sys, fcntl, termios, struct
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    os.execvp(sys.argv[2], sys.argv[2:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 90, 0, 0))
out = b""
frames_at_resize = None
lflag = None
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    out += data
    frames = out.count(b"\\x1b[H")
    if frames_at_resize is None and b"sleeping" in out and frames > 1:
        frames_at_resize = frames
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 6, 40, 0, 0))
    if lflag is None and frames_at_resize is not None and frames > frames_at_resize + 2:
        lflag = termios.tcgetattr(fd)[3]
        os.write(fd, sys.argv[1].encode("latin-1").decode("unicode_escape").encode())
raw_off = bool(lflag & termios.ICANON) == False
back_on = bool(termios.tcgetattr(fd)[3] & termios.ICANON)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.buffer.write(out)
print("\\nEND", code, raw_off, back_on)
`;

describe("glia top on a terminal", () => {
  it.skipIf(!python).each([
    ["q", "q"],
    ["Ctrl-C", "\\x03"],
  ])(
    "SN1, SN2 (needs python3): is painted in place, cut to the size the terminal gets; %s leaves it as it was",
    async (_, keys) => {
      const { programs } = newPrograms();
      await alive(programs);
      const command = [process.execPath, "--conditions=@glia-os/source", cliMain, "top", "--interval", "0.1"];
      const child = spawn("python3", ["-c", ON_TERMINAL, keys, ...command], {
        env: { ...process.env, NODE_OPTIONS: "", ...programs.env },
      });
      let out = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
      const code = await new Promise((resolve) => child.once("close", resolve));
      expect(code).toBe(0);
      expect(out.startsWith("\u001b[?1049h\u001b[?25l\u001b[H")).toBe(true);
      expect(out).toContain("\u001b[?25h\u001b[?1049l");
      expect(out.trim().split("\n").at(-1)).toMatch(/^END 0 True /);
      const frames = out.split("\u001b[H").slice(1);
      expect(frames.length).toBeGreaterThan(1);
      const shown = frames.map((frame) =>
        stripVTControlCharacters(frame.split("\u001b[J")[0] ?? "").split("\n"),
      );
      const widest = (lines: readonly string[]): number =>
        Math.max(...lines.map((line) => line.trimEnd().length));
      for (const lines of shown) expect(widest(lines)).toBeLessThanOrEqual(90);
      // The last line of a frame ends with a line break.
      const small = shown.filter((lines) => lines.length <= 6 && widest(lines) <= 40);
      expect(shown.indexOf(small[0] ?? [])).toBeGreaterThan(0);
      expect(small.length).toBeGreaterThan(1);
    },
  );
});

describe("the socket of a program", () => {
  it("SS1: folder and socket are open to the user only, and gone when the program has ended", async () => {
    const { programs, sockets } = newPrograms();
    const run = await alive(programs);
    const path = join(sockets, `run-${run.pid}.sock`);
    expect([statSync(sockets).mode & 0o777, statSync(path).mode & 0o777]).toEqual([0o700, 0o600]);
    run.child.kill("SIGINT");
    await run.result;
    expect(readdirSync(sockets)).toEqual([]);
  });

  it("RF2: what a killed program left is removed by the next look", async () => {
    const { programs, sockets } = newPrograms();
    const run = await alive(programs);
    run.child.kill("SIGKILL");
    await run.result;
    expect(readdirSync(sockets)).toEqual([`run-${run.pid}.sock`]);
    expect((await programs.run(["top", "--once"])).stderr).toContain("No program and no node runs");
    expect(readdirSync(sockets)).toEqual([]);
  });

  it("RF1: a folder that others can enter, or a file in its place, is not used; the program runs all the same", async () => {
    const { programs, sockets } = newPrograms();
    mkdirSync(sockets, { mode: 0o755 });
    chmodSync(sockets, 0o755);
    expect(useRunFolder(sockets)).toBe(false);
    const run = await alive(programs);
    expect(readdirSync(sockets)).toEqual([]);
    run.child.kill("SIGINT");
    await run.result;
    const other = newPrograms();
    writeFileSync(other.sockets, "");
    const second = await alive(other.programs);
    second.child.kill("SIGINT");
    expect((await second.result).code).toBe(130);
  });

  it("SS1, SS3: rubbish, a question that is too long and too many connections are cut off; the next question is answered", async () => {
    const { programs, sockets } = newPrograms();
    const run = await alive(programs);
    const path = join(sockets, `run-${run.pid}.sock`);
    const answer = (question: string): Promise<string> =>
      new Promise((resolve) => {
        let got = "";
        const socket = connect(path, () => socket.write(question));
        socket.on("data", (chunk) => {
          got += chunk.toString();
          if (got.endsWith("\n")) socket.end();
        });
        socket.on("error", () => undefined);
        socket.on("close", () => resolve(got));
      });
    for (const question of ["stop\n", "{}\n", "state\nstate\n", "x".repeat(QUESTION_BYTES + 1), "\u0000\n"])
      expect(await answer(question)).toBe("");
    const idle = Array.from({ length: 20 }, () => connect(path).on("error", () => undefined));
    await Promise.all(
      idle.map((socket) => new Promise((resolve) => socket.once("connect", resolve).once("close", resolve))),
    );
    for (const socket of idle) socket.destroy();
    await expect.poll(() => answer("state\n")).toMatch(/^\{"pid":\d+,/);
    expect(run.child.exitCode).toBeNull();
  });

  it("SS2: it does not keep a program alive, and a deadlock is found while somebody looks", async () => {
    const { programs } = newPrograms();
    programs.write(
      "stuck.ts",
      "export default function* (sys) { console.log('ready'); yield* sys.sleep(300); yield* sys.waitOn('never'); }",
    );
    const run = programs.start(["run", "stuck.ts"]);
    await run.until("stdout", /ready/);
    const top = programs.start(["top", "--interval", "60"]);
    expect(await run.result).toMatchObject({ code: 1, stderr: expect.stringContaining("Deadlock") });
    expect([0, 1]).toContain((await top.result).code);
  });

  it("SC1: an answer that is no state is refused, and so is one without end", async () => {
    const { programs, sockets } = newPrograms();
    mkdirSync(sockets, { mode: 0o700 });
    let answer = '{"pid":1}\n';
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", () => socket.write(answer));
    });
    const path = join(sockets, `run-${process.pid}.sock`);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const ask = async () => {
      const { stdout } = await programs.run(["top", "--once", "--json"]);
      return (JSON.parse(stdout) as { error: { code: string; message: string } }).error;
    };
    expect((await ask()).code).toBe("abi.malformed");
    answer = "not json\n";
    expect((await ask()).code).toBe("abi.malformed");
    answer = "x".repeat(17_000_000);
    expect((await ask()).message).toContain("over 16777216 bytes");
    await new Promise((resolve) => server.close(resolve));
    expect(existsSync(path)).toBe(false);
  });
});
