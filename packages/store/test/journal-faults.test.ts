/** A journal in a real folder whose system calls fail as strace makes them. */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "./fixtures/harness.ts";

const hasStrace = process.platform === "linux" && spawnSync("strace", ["-V"]).status === 0;
const child = fileURLToPath(new URL("./fixtures/journal-faults-child.ts", import.meta.url));

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** What the child says, with some calls on the journal's first file failing. */
function said(record: number, inject?: string): string {
  const node = [process.execPath, "--conditions=@glia-os/source", child, join(folder, "j"), String(record)];
  const only = ["-f", "-o", "/dev/null", "-P", join(folder, "j", "00000001.journal")];
  const [program = "", ...args] = inject === undefined ? node : ["strace", ...only, "-e", inject, ...node];
  const { stdout, stderr } = spawnSync(program, args, { encoding: "utf8", timeout: 50_000 });
  expect(stderr).toBe("");
  return stdout;
}

describe.skipIf(!hasStrace)("under strace (needs Linux with strace)", () => {
  it.each([
    ["V5: a read that fails", "inject=pread64:error=EIO", /^store\.cannot-open .*00000001\.journal.*EIO/],
    ["W2: a write that fails", "inject=pwrite64:error=EIO", /^store\.write-failed .*EIO/],
    ["W2: a flush that fails", "inject=fdatasync:error=EIO", /^store\.write-failed .*EIO/],
    ["W2: a full disk", "inject=pwrite64:error=ENOSPC", /^store\.(write-failed|full) .*ENOSPC/],
    ["a disk that became read-only", "inject=openat:error=EROFS", /^store\.not-writable /],
  ])("%s gives a typed refusal, and nothing acknowledged is lost", (_what, inject, refusal) => {
    expect(said(1)).toContain("appended");
    expect(said(2, inject)).toMatch(refusal);
    // The refused record may be there or not.
    expect(["appended", "store.journal-gap"].some((answer) => said(2).includes(answer))).toBe(true);
    expect(said(3)).toContain("appended");
  });
});
