/**
 * Peers that are programs of their own: Erlang/OTP, Go and Python. Each reads "WORKLOAD COUNT" and answers when it is done, so that
 * it stays warm between samples like ours does. One scheduler thread each. Compiled once per run into the temporary folder.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Contestant, ContestantFactory } from "../src/suite.ts";

const here = import.meta.dirname;
const BEAM_FLAGS = ["-noshell", "+S", "1:1", "+P", "4000000"];

const WARM_UPS = 5;
const WARM_UP = 10_000;

interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

let folder: string | undefined;
const programs = new Map<string, Program | undefined>();

function scratch(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), "glia-bench-peers-"));
    folder = made;
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
  }
  return folder;
}

/** The program that `prepare` makes, or undefined where the machine cannot make it. */
function once(name: string, prepare: () => Program): Program | undefined {
  if (!programs.has(name)) {
    let program: Program | undefined;
    try {
      program = prepare();
    } catch {
      program = undefined;
    }
    programs.set(name, program);
  }
  return programs.get(name);
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: "ignore" });
}

function beamProgram(): Program | undefined {
  return once("beam", () => {
    run("erlc", ["-o", scratch(), join(here, "erlang/workloads.erl")]);
    return { command: "erl", args: [...BEAM_FLAGS, "-pa", scratch()] };
  });
}

function goProgram(): Program | undefined {
  return once("go", () => {
    const binary = join(scratch(), "go-peer");
    run("go", ["build", "-o", binary, join(here, "go/peer.go")]);
    return { command: binary, args: [], env: { GOMAXPROCS: "1" } };
  });
}

function pythonProgram(): Program | undefined {
  return once("pyos", () => {
    run("python3", ["--version"]);
    return { command: "python3", args: [join(here, "python/pyos.py")] };
  });
}

function start({ command, args, env }: Program, more: readonly string[]): ChildProcess {
  return spawn(command, [...args, ...more], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
}

/** A contestant that asks a running program for `times` operations of a workload. It has started and is warm. */
async function server(workload: string, program: Program, more: readonly string[]): Promise<Contestant> {
  const child = start(program, more);
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const run = async (times: number): Promise<void> => {
    child.stdin!.write(`${workload} ${times}\n`);
    const answer = await lines.next();
    if (answer.done === true || !Number.isFinite(Number(answer.value)))
      throw new RangeError(`${program.command} did not answer ${workload}`);
  };
  for (let i = 0; i < WARM_UPS; i++) await run(WARM_UP);
  return {
    run,
    close() {
      child.stdin!.end();
    },
  };
}

/** Erlang/OTP, the named workload of `erlang/workloads.erl`. */
export function beam(workload: string): ContestantFactory {
  return () => {
    const program = beamProgram();
    return program && server(workload, program, ["-s", "workloads", "start"]);
  };
}

/** Go, the named workload of `go/peer.go`. */
export function go(workload: string): ContestantFactory {
  return () => {
    const program = goProgram();
    return program && server(workload, program, []);
  };
}

/** The PyOS port, the named workload of `python/pyos.py`. */
export function pyos(workload: string): ContestantFactory {
  return () => {
    const program = pythonProgram();
    return program && server(workload, program, []);
  };
}

async function printed(program: Program, more: readonly string[]): Promise<number> {
  const child = start(program, more);
  child.stdin!.end();
  let text = "";
  for await (const chunk of child.stdout!) text += String(chunk);
  const value = Number(text.trim());
  if (text.trim() === "" || !Number.isFinite(value))
    throw new RangeError(`${program.command} printed ${text}`);
  return value;
}

function printer(program: Program | undefined, more: readonly string[]): Contestant | undefined {
  return program && { value: () => printed(program, more) };
}

async function startTime(program: Program, more: readonly string[]): Promise<number> {
  const begin = process.hrtime.bigint();
  const child = start(program, more);
  child.stdin!.end();
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new RangeError(`${program.command} ended with ${code}`));
    });
  });
  return Number(process.hrtime.bigint() - begin) / 1e6;
}

function starter(program: Program | undefined, more: readonly string[]): Contestant | undefined {
  return program && { value: () => startTime(program, more) };
}

const gliaProgram = (file: string): Program => ({
  command: process.execPath,
  args: [...process.execArgv, "--expose-gc", join(here, "glia", file)],
});

/** Resident bytes per parked task of `count`, each measured in a process of its own. */
export const parked = {
  glia: (count: number): Contestant => printer(gliaProgram("parked.ts"), [String(count)])!,
  beam:
    (count: number): ContestantFactory =>
    () =>
      printer(beamProgram(), ["-eval", `workloads:parked(${count})`]),
  go:
    (count: number): ContestantFactory =>
    () =>
      printer(goProgram(), ["parked", String(count)]),
  pyos:
    (count: number): ContestantFactory =>
    () =>
      printer(pythonProgram(), ["parked", String(count)]),
};

/** Resident MiB of `count` agents, each measured in a process of its own. */
export function crowd(count: number): Contestant {
  return printer(gliaProgram("agents-crowd.ts"), [String(count)])!;
}

/** Milliseconds from starting a process to its end, one task having run in it. */
export const coldStart = {
  glia: (): Contestant => starter(gliaProgram("cold.mjs"), [])!,
  built: (): Contestant => starter({ command: process.execPath, args: [join(here, "glia/cold.mjs")] }, [])!,
  node: (): Contestant => starter({ command: process.execPath, args: ["-e", "0"] }, [])!,
  beam: () => starter(beamProgram(), ["-eval", "workloads:cold()"]),
  go: () => starter(goProgram(), ["cold"]),
  pyos: () => starter(pythonProgram(), ["cold"]),
};
