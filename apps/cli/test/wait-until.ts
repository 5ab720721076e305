/** Waits for facts of the system that announce themselves to nobody. */
import { readdirSync } from "node:fs";

const EVERY_MS = 20;

/** Resolves when `holds` does; the test's own time limit ends a wait in vain. */
export async function waitUntil(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
}

/** Whether a process with this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Names of folders in `dir` that a demo has made and not removed. */
export function demoFolders(dir: string): string[] {
  return readdirSync(dir).filter((name) => name.startsWith("glia-demo-"));
}
