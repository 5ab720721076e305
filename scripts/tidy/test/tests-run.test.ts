import { describe, expect, test } from "vitest";
import { testsRun } from "../rules/tests-run.ts";
import { broken } from "./broken.ts";

describe("a test that would not run is refused", () => {
  const refused = [
    'test.only("a", f)',
    'describe.only("a", f)',
    'test.concurrent.only("a", f)',
    'it.skip("a", f)',
    'describe.skip("a", f)',
    'test.todo("a")',
    'fit("a", f)',
    'xit("a", f)',
    'test.skipIf(!server)("replicates", f)',
    'describe.runIf(server)("replicates", f)',
    "context.skip()",
    "context.skip(!server)",
    "skip(!server)",
  ];
  test.each(refused)("%s", (text) => {
    expect(broken(testsRun, { "packages/abi/test/a.test.ts": text })).toHaveLength(1);
  });
});

describe("a test that runs, or prints why not, passes", () => {
  const accepted = [
    'test("a", f)',
    'describe.each(all)("a", f)',
    'test.skipIf(!server)("replicates (needs etcd-server)", f)',
    'describe.skipIf(!strace)("flushes (skipped where strace is not installed)", f)',
    'context.skip("etcd is not installed")',
    'ctx.skip(!server, "etcd is not installed")',
    "skip(!server, reason)",
    "reader.skip(4)",
    '// test.only("a")',
  ];
  test.each(accepted)("%s", (text) => {
    expect(broken(testsRun, { "packages/abi/test/a.test.ts": text })).toEqual([]);
  });
});
