/**
 * Where programs that run offer their state: one socket per process, in a folder of the user.
 *
 * RF1. The folder is `$XDG_RUNTIME_DIR/glia`, or `glia-UID` in the folder for temporary files. It belongs to the user and nobody else can enter
 *      it; one that is otherwise is not used.
 * RF2. A socket whose process is gone is removed by whoever finds it.
 */
import { lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

const NAME = /^run-(\d{1,10})\.sock$/;

/** The folder (RF1). It may not exist. */
export function runFolder(env: Environment = process.env): string {
  const runtime = env["XDG_RUNTIME_DIR"];
  if (runtime !== undefined && isAbsolute(runtime)) return join(runtime, "glia");
  return join(tmpdir(), `glia-${process.getuid?.() ?? 0}`);
}

/** Make the folder if need be, and say whether it may be used (RF1). */
export function useRunFolder(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const found = lstatSync(folder);
    return found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0;
  } catch {
    return false;
  }
}

/** The socket of a process. */
export function runSocket(folder: string, pid: number): string {
  return join(folder, `run-${pid}.sock`);
}

/** The processes that offer their state, by id; removes sockets of those that are gone (RF2). */
export function offeringProcesses(folder: string): readonly number[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  const pids = names.flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number);
  return pids
    .filter((pid) => lives(pid) || void rmSync(runSocket(folder, pid), { force: true }))
    .sort((a, b) => a - b);
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === "EPERM";
  }
}
