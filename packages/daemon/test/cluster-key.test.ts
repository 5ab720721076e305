import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import { createSystemRandom } from "@glia-os/hal";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ClusterKeyFiles } from "../src/cluster-key.ts";

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "glia-key-"));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const files = (): ClusterKeyFiles => new ClusterKeyFiles(base, createSystemRandom());
const path = (name: string): string => join(base, name);

test("the successor takes the key's place when the rotation is finished, and nothing else is left", async () => {
  const keys = files();
  expect(keys.exists).toBe(false);
  const old = await keys.load();
  const { next, untilMs } = await keys.begin(123);
  expect(untilMs).toBe(123);
  expect((await keys.load()).nodeId).toBe(old.nodeId);
  await keys.finish();
  expect((await keys.load()).nodeId).toBe(next.nodeId);
  expect(await keys.begun()).toBeUndefined();
  expect(existsSync(path("cluster-key.next.pem")) || existsSync(path("key-rotation.json"))).toBe(false);
});

test("KF1: a rotation that was cut off goes on with the same successor and the same end", async () => {
  await files().load();
  const first = await files().begin(1000);
  const again = await files().begun();
  expect([again?.next.nodeId, again?.untilMs]).toEqual([first.next.nodeId, 1000]);
  const instead = await files().begin(2000);
  expect([instead.next.nodeId, instead.untilMs]).toEqual([first.next.nodeId, 1000]);
});

test("KF1: a successor whose end was not written yet was never told to anybody, and is not used", async () => {
  await files().load();
  const first = await files().begin(1000);
  rmSync(path("key-rotation.json"));
  expect(await files().begun()).toBeUndefined();
  expect((await files().begin(2000)).next.nodeId).not.toBe(first.next.nodeId);
});

test("KF2: cut off in the middle of its end, a rotation is over", async () => {
  await files().load();
  const { next } = await files().begin(1000);
  renameSync(path("cluster-key.next.pem"), path("cluster-key.pem"));
  expect(await files().begun()).toBeUndefined();
  expect((await files().load()).nodeId).toBe(next.nodeId);
});

test.each(["{", "{}", '{"untilMs":"soon"}', '{"untilMs":1.5}', ""])(
  "a rotation file with %j is refused by name and left as it is",
  async (content) => {
    await files().load();
    await files().begin(1000);
    writeFileSync(path("key-rotation.json"), content);
    expect(await files().begun().then(String, errorCodeOf)).toBe("daemon.data-folder");
    expect(readFileSync(path("key-rotation.json"), "utf8")).toBe(content);
  },
);

test("every file is for its owner only", async () => {
  if (process.platform === "win32") return;
  await files().load();
  await files().begin(1000);
  for (const name of ["cluster-key.pem", "cluster-key.next.pem", "key-rotation.json"])
    expect(statSync(path(name)).mode & 0o777, name).toBe(0o600);
});
