import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DataFolder } from "../src/data-folder.ts";

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "glia-data-"));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return errorCodeOf(error);
  }
}

test("a folder that is not there is made for its owner only", () => {
  const folder = new DataFolder(join(base, "a/b"));
  expect(statSync(folder.path).isDirectory()).toBe(true);
  if (process.platform !== "win32") expect(statSync(folder.path).mode & 0o777).toBe(0o700);
  folder.close();
});

test("DF1: a second node is refused and told which process has the folder", () => {
  const folder = new DataFolder(base);
  expect(codeOf(() => new DataFolder(base))).toBe("daemon.already-running");
  expect(readFileSync(folder.file("lock"), "utf8").trim()).toBe(String(process.pid));
  folder.close();
  new DataFolder(base).close();
  expect(existsSync(join(base, "lock"))).toBe(false);
});

test("DF1: the lock of a killed process is taken over", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  writeFileSync(join(base, "lock"), `${child.pid}\n`);
  expect(codeOf(() => new DataFolder(base))).toBe("daemon.already-running");
  child.kill("SIGKILL");
  await once(child, "exit");
  new DataFolder(base).close();
});

test("DF3: no two starts have the same number", () => {
  const folder = new DataFolder(base);
  expect([folder.nextBoot(), folder.nextBoot()]).toEqual([1, 2]);
  folder.close();
  const again = new DataFolder(base);
  expect(again.nextBoot()).toBe(3);
  again.close();
});

test("what is kept of the cluster reads back", () => {
  const folder = new DataFolder(base);
  expect(folder.membership()).toBeUndefined();
  const kept = {
    certificate: new Uint8Array([1, 2]),
    clusterRecord: new Uint8Array([3]),
    successions: [new Uint8Array([4, 5])],
    removals: [new Uint8Array([6]), new Uint8Array([7])],
    contacts: [{ host: "127.0.0.1", port: 9000 }],
  };
  folder.keepMembership(kept);
  expect(folder.membership()).toEqual(kept);
  const earlier = JSON.parse(readFileSync(folder.file("membership.json"), "utf8")) as Record<string, unknown>;
  delete earlier["successions"];
  delete earlier["removals"];
  writeFileSync(folder.file("membership.json"), JSON.stringify(earlier));
  expect(folder.membership(), "a file of an earlier version").toEqual({
    ...kept,
    successions: [],
    removals: [],
  });
  folder.close();
});

test.each([
  ["boot", "many\n"],
  ["membership.json", "{"],
])("a damaged file %s is named, not replaced", (name, content) => {
  const folder = new DataFolder(base);
  writeFileSync(folder.file(name), content);
  expect(codeOf(() => (name === "boot" ? folder.nextBoot() : folder.membership()))).toBe(
    "daemon.data-folder",
  );
  expect(readFileSync(folder.file(name), "utf8")).toBe(content);
  folder.close();
});

test("a file in the folder's place is refused", () => {
  const path = join(base, "file");
  writeFileSync(path, "");
  expect(codeOf(() => new DataFolder(path))).toBe("daemon.data-folder");
});

test("a folder that cannot be made is refused", () => {
  writeFileSync(join(base, "file"), "");
  expect(codeOf(() => new DataFolder(join(base, "file", "below")))).toBe("daemon.data-folder");
});

test("a folder below one that takes none is refused, and does not hold the process (needs /proc)", ({
  skip,
}) => {
  skip(!existsSync("/proc/self"), "there is no /proc: a file system that takes no folders was not tried");
  // In a process of its own: what this is about would hold the test's.
  const program = `
    import { DataFolder } from ${JSON.stringify(new URL("../src/data-folder.ts", import.meta.url).href)};
    try { new DataFolder("/proc/nonexistent/deeper"); } catch (error) { console.log(error.code); }`;
  const args = ["--conditions=@glia-os/source", "--input-type=module", "-e", program];
  const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 30_000 });
  expect(stdout).toBe("daemon.data-folder\n");
});
