import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { IndependentCount } from "../src/count/independent-count.ts";
import { recount } from "../src/count/recount.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-count-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function file(name: string, text: string): { path: Uint8Array; bytes: number } {
  const path = join(scratch, name);
  writeFileSync(path, text);
  return { path: Buffer.from(path), bytes: Buffer.byteLength(text) };
}

describe("the counting thread", () => {
  it("counts what is pushed, and leaves the caller's bytes alone", async () => {
    await using count = disposable(new IndependentCount());
    const shared = Buffer.from("one two two\n");
    const unshared = new TextEncoder().encode("two");
    await count.it.push(shared);
    await count.it.push(unshared);
    count.it.endFile();
    expect([shared.toString(), unshared.length]).toEqual(["one two two\n", 3]);
    expect(await count.it.finish()).toEqual({
      files: 1,
      lines: 1,
      words: 4,
      bytes: 15,
      top: [
        ["two", 3],
        ["one", 1],
      ],
      distinctExceeded: false,
    });
  });

  it("makes the caller wait when more than 4 MiB are outstanding, and gets through them (C1)", async () => {
    await using count = disposable(new IndependentCount());
    const piece = Buffer.alloc(64 * 1024, "word ");
    let waited = 0;
    for (let i = 0; i < 200; i++) {
      let open = true;
      const pushed = count.it.push(piece).then(() => (open = false));
      await Promise.resolve();
      await Promise.resolve();
      if (open) waited++;
      await pushed;
    }
    count.it.endFile();
    expect((await count.it.finish()).bytes).toBe(200 * 64 * 1024);
    expect(waited).toBeGreaterThan(0);
  });

  it("counts given words again, exactly, from the files", async () => {
    await using count = disposable(new IndependentCount());
    const files = [file("a", "x y x"), file("b", `X ${"z".repeat(70)} ${"z".repeat(70)}`)];
    await count.it.push(Buffer.from("x y x"));
    count.it.endFile();
    await count.it.push(Buffer.from(`X ${"z".repeat(70)} ${"z".repeat(70)}`));
    count.it.endFile();
    const { top } = await count.it.finish();
    expect(await count.it.recount(files, [...top, ["absent", 9]])).toEqual([3, 2, 1, 0]);
  });

  it("refuses to count again what has changed since", async () => {
    await using count = disposable(new IndependentCount());
    const changed = file("c", "x y x");
    await count.it.push(Buffer.from("x y y"));
    count.it.endFile();
    await count.it.finish();
    await expect(count.it.recount([changed], [["x", 1]])).rejects.toMatchObject({
      code: "cli.input-changed",
    });
  });

  it("answers a failure of the thread with a typed error (C2)", async () => {
    await using count = disposable(new IndependentCount());
    const gone = { path: Buffer.from(join(scratch, "gone")), bytes: 1 };
    await expect(count.it.recount([gone], [["x", 1]])).rejects.toMatchObject({ code: "cli.counting-thread" });
    await expect(count.it.finish()).rejects.toMatchObject({ code: "cli.counting-thread" });
  });
});

describe("the second pass", () => {
  it("reads no more of a file than was counted", () => {
    const grown = file("d", "x y ");
    appendFileSync(Buffer.from(grown.path), "x x x");
    expect(recount([grown], [["x", 0]]).counts).toEqual([1]);
  });
});

function disposable(it: IndependentCount): AsyncDisposable & { it: IndependentCount } {
  return { it, [Symbol.asyncDispose]: () => it.close() };
}
