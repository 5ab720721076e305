import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { listCorpus } from "../src/demo/corpus.ts";
import { defaultCorpus } from "../src/demo/default-input.ts";
import { type Fed, feed, pieceBytesFor } from "../src/demo/feed.ts";
import { readPieces } from "../src/demo/read-pieces.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-corpus-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const folder = (): string => mkdtempSync(join(scratch, "f-"));

async function readAll(
  path: string,
  pieceBytes: number,
  between: () => void = () => {},
): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readPieces(Buffer.from(path), pieceBytes)) {
    pieces.push(piece.bytes.slice());
    between();
  }
  return pieces;
}

describe("the corpus", () => {
  it("is every regular file below the root, in byte order, and nothing behind a symbolic link (FI1)", async () => {
    const root = folder();
    mkdirSync(join(root, "deep/er"), { recursive: true });
    for (const name of ["b.txt", "a.bin", "deep/er/c", ".hidden"]) writeFileSync(join(root, name), name);
    symlinkSync(join(root, "b.txt"), join(root, "link-to-file"));
    symlinkSync(root, join(root, "deep/loop"));
    const { files, bytes } = await listCorpus(root);
    expect(files.map(({ path }) => path.toString().slice(root.length + 1))).toEqual([
      ".hidden",
      "a.bin",
      "b.txt",
      "deep/er/c",
    ]);
    expect(bytes).toBe(7 + 5 + 5 + 9);
  });

  it.runIf(process.platform === "linux")(
    "includes a file whose name is not text (needs Linux) (FI3)",
    async () => {
      const root = folder();
      writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x66, 0xff, 0xfe])]), "x");
      const { files } = await listCorpus(root);
      expect(files[0]?.path.at(-1)).toBe(0xfe);
      expect(files[0]?.bytes).toBe(1);
    },
  );

  it.runIf(process.getuid?.() !== 0 && process.platform !== "win32")(
    "names a file it may not read (needs a user that is not root) (FI2)",
    async () => {
      const root = folder();
      writeFileSync(join(root, "secret"), "x");
      chmodSync(join(root, "secret"), 0);
      await expect(listCorpus(root)).rejects.toThrow(
        `Cannot read ${join(root, "secret")}: permission denied`,
      );
    },
  );

  it("without a folder is the Markdown of the repository around the working folder, without build output", async () => {
    const root = folder();
    mkdirSync(join(root, "docs"));
    mkdirSync(join(root, "node_modules/x"), { recursive: true });
    writeFileSync(join(root, "package.json"), '{"name":"glia-workspace"}');
    for (const name of ["README.md", "docs/a.md", "docs/a.txt", "node_modules/x/README.md"])
      writeFileSync(join(root, name), "x");
    const { files } = await defaultCorpus(join(root, "docs"));
    expect(files.map(({ path }) => path.toString().slice(root.length + 1))).toEqual([
      "README.md",
      "docs/a.md",
    ]);
  });

  it("outside a repository is the Markdown installed with the package", async () => {
    const { files } = await defaultCorpus(tmpdir());
    expect(files.map(({ path }) => path.toString()).some((path) => path.endsWith("README.md"))).toBe(true);
  });
});

describe("reading a file in pieces", () => {
  it("gives full pieces and the rest", async () => {
    const path = join(folder(), "f");
    writeFileSync(path, "abcdefgh");
    const pieces = await readAll(path, 3);
    expect(pieces.map((piece) => Buffer.from(piece).toString())).toEqual(["abc", "def", "gh"]);
  });

  it("ends where the file ended when it was opened, however much it grows (RP1)", async () => {
    const path = join(folder(), "f");
    writeFileSync(path, "abcdef");
    const pieces = await readAll(path, 4, () => appendFileSync(path, "more"));
    expect(Buffer.concat(pieces).toString()).toBe("abcdef");
  });

  it("ends early when the file shrinks (RP1)", async () => {
    const path = join(folder(), "f");
    writeFileSync(path, "abcdef");
    const pieces = await readAll(path, 2, () => truncateSync(path, 3));
    expect(Buffer.concat(pieces).toString()).toBe("abc");
  });

  it("names a file that is gone, and refuses one that became a link or a folder", async () => {
    const root = folder();
    symlinkSync("/etc/passwd", join(root, "link"));
    for (const [name, why] of [
      ["gone", "there is no such file or folder"],
      ["link", "too many symbolic links"],
      [".", "not a regular file"],
    ])
      await expect(readAll(join(root, name ?? ""), 2)).rejects.toThrow(why);
  });
});

describe("feeding", () => {
  async function feedAll(
    root: string,
  ): Promise<{ log: string[]; files: number[]; agent: string; count: string; fed: Fed[] }> {
    const corpus = await listCorpus(root);
    let [agent, count] = ["", ""];
    const log: string[] = [];
    const files: number[] = [];
    const fed: Fed[] = [];
    await feed({
      corpus,
      send: async (bytes, { last }) =>
        void (agent += Buffer.from(bytes).toString("latin1") + (last ? "|" : "")),
      count: {
        push: async (bytes) => void (count += Buffer.from(bytes).toString("latin1")),
        endFile: () => (count += "|"),
      },
      file: async (_path, bytes) => void files.push(bytes),
      move: async ({ to }) => void log.push(`${to} after ${agent.length}`),
      arrived: async () => void log.push(`arrived after ${agent.length}`),
      onProgress: (progress) => fed.push(progress),
    });
    return { log, files, agent, count, fed };
  }

  it("gives both counts the same bytes and ends of files, and moves at a third and two thirds (RP2, FE2)", async () => {
    const root = folder();
    for (let i = 0; i < 9; i++) writeFileSync(join(root, `f${i}`), String(i).repeat(999));
    const { log, files, agent, count, fed } = await feedAll(root);
    expect(agent).toBe(count);
    expect(files).toEqual(Array.from({ length: 9 }, () => 999));
    expect(agent.length).toBe(9 * 1000);
    expect(fed.at(-1)?.bytes).toBe(9 * 999);
    const [first, second] = log.map((entry) => Number(entry.split(" ").at(-1)));
    expect(first).toBeGreaterThanOrEqual(3000);
    expect(first).toBeLessThan(3500);
    expect(second).toBeGreaterThanOrEqual(6000);
    expect(second).toBeLessThan(6500);
  });

  it("moves twice even for one empty file", async () => {
    const root = folder();
    writeFileSync(join(root, "empty"), "");
    const { log, agent, fed } = await feedAll(root);
    expect(log.map((entry) => entry.split(" ")[0])).toEqual(["core", "relay", "arrived"]);
    expect(agent).toBe("|");
    expect(fed.at(-1)).toEqual({ messages: 5, bytes: 0 });
  });

  it("cuts small inputs into about 48 pieces and never sends more than 64 KiB", () => {
    expect([0, 10, 4800, 2 ** 40].map(pieceBytesFor)).toEqual([1, 1, 100, 65_536]);
  });
});
