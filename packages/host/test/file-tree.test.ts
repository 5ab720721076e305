import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CancelSource } from "@glia-os/kernel/services";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFileTree } from "../src/effects/file-tree.ts";

let base: string;
let root: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "glia-tree-"));
  root = join(base, "root");
  await mkdir(join(root, "folder"), { recursive: true });
  await writeFile(join(base, "secret"), "outside");
  await writeFile(join(root, "folder", "note"), "inside");
});

afterEach(() => rm(base, { recursive: true, force: true }));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function codeOf(result: Promise<unknown>): Promise<string> {
  return result.then(
    () => "nothing was thrown",
    (error: { code?: string }) => error.code ?? String(error),
  );
}

test("what is written is read back and listed in order", async () => {
  const files = createFileTree(root);
  await files.write("folder/b", bytes("2"));
  await files.write("folder/B", bytes("3"));
  await files.write("folder/b", bytes("replaced"));
  expect(new TextDecoder().decode(await files.read("folder/b", 100))).toBe("replaced");
  expect(await files.list("folder")).toEqual(["B", "b", "note"]);
  expect(await files.list(".")).toEqual(["folder"]);
});

test("FT1: paths that are not plain names below the root are refused, whatever they spell (fast-check)", async () => {
  const files = createFileTree(root);
  const bad = [
    "",
    "/",
    "..",
    "../secret",
    "folder/../../secret",
    "/etc/passwd",
    "folder//note",
    "./folder",
    "folder/.",
    "folder/",
  ];
  for (const path of [...bad, "a\0b", "a\\b", "x".repeat(256), "é".repeat(128)])
    for (const attempt of [
      () => files.read(path, 10),
      () => files.write(path, bytes("x")),
      () => files.list(path),
    ])
      expect(await codeOf(attempt()), JSON.stringify(path)).toBe("host.outside-root");
  const part = fc.constantFrom("..", ".", "", "folder", "note", "secret", "~", "\0", "root", "%2e%2e", "...");
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (parts) => {
      const path = parts.join("/");
      await codeOf(files.write(path, bytes("overwritten")));
      expect(await readFile(join(base, "secret"), "utf8")).toBe("outside");
      expect((await readdir(base)).sort()).toEqual(["root", "secret"]);
      const read = await files.read(path, 100).catch(() => bytes(""));
      expect(new TextDecoder().decode(read)).not.toBe("outside");
    }),
    { numRuns: 200 },
  );
});

test("FT2: a symbolic link is not followed, as a file, as a folder on the way, or as what is written or listed", async () => {
  await symlink(join(base, "secret"), join(root, "to-secret"));
  await symlink(base, join(root, "to-base"));
  await symlink("folder", join(root, "to-folder"));
  const files = createFileTree(root);
  const attempts = [
    () => files.read("to-secret", 100),
    () => files.read("to-base/secret", 100),
    () => files.read("to-folder/note", 100),
    () => files.write("to-secret", bytes("x")),
    () => files.write("to-base/new", bytes("x")),
    () => files.list("to-base/root"),
    () => files.list("to-folder"),
  ];
  for (const attempt of attempts) expect(await codeOf(attempt())).toBe("host.outside-root");
  expect(await readFile(join(base, "secret"), "utf8")).toBe("outside");
  expect((await readdir(base)).sort()).toEqual(["root", "secret"]);
});

test("the root itself may be reached by a link: it is the shell that names it", async () => {
  await symlink(root, join(base, "alias"));
  expect(await createFileTree(join(base, "alias")).list("folder")).toEqual(["note"]);
});

test("FT3: a write that fails or is cancelled leaves the old file and nothing beside it; a mode is kept", async () => {
  const files = createFileTree(root, { writeBytes: 8 });
  await files.write("kept", bytes("old"));
  await chmod(join(root, "kept"), 0o640);
  const cancel = new CancelSource();
  cancel.cancel("enough");
  expect(await codeOf(files.write("kept", bytes("new"), cancel))).toBe("host.aborted");
  expect(await codeOf(files.write("kept", bytes("too long!"), undefined))).toBe("host.too-large");
  expect(await codeOf(files.write("folder", bytes("x")))).toBe("host.file-failed");
  expect(await codeOf(files.write(".", bytes("x")))).toBe("host.file-failed");
  expect(await codeOf(files.write("missing/file", bytes("x")))).toBe("host.file-failed");
  expect(await readFile(join(root, "kept"), "utf8")).toBe("old");
  await files.write("kept", bytes("new"));
  expect((await stat(join(root, "kept"))).mode & 0o777).toBe(0o640);
  expect(await files.list(".")).toEqual(["folder", "kept"]);
});

test("FT4: files and folders over their limits are refused, and at the limit they are read", async () => {
  const files = createFileTree(root, { names: 2 });
  expect(await codeOf(files.read("folder/note", 5))).toBe("host.too-large");
  expect((await files.read("folder/note", 6)).length).toBe(6);
  await files.write("folder/two", new Uint8Array(3_000_000));
  expect((await files.read("folder/two", 3_000_000)).length).toBe(3_000_000);
  expect((await files.list("folder")).length).toBe(2);
  await files.write("folder/three", new Uint8Array());
  expect(await codeOf(files.list("folder"))).toBe("host.too-large");
});

test("what is no file is refused and read nothing of: folders, missing files, and pipes that would wait for ever", async () => {
  const files = createFileTree(root);
  expect(await codeOf(files.read("folder", 10))).toBe("host.file-failed");
  expect(await codeOf(files.read("missing", 10))).toBe("host.file-failed");
  expect(await codeOf(files.list("folder/note"))).toBe("host.file-failed");
  expect(() => createFileTree(join(base, "none"))).toThrow(
    expect.objectContaining({ code: "host.file-failed" }) as Error,
  );
  if (process.platform === "win32") return;
  execFileSync("mkfifo", [join(root, "pipe")]);
  expect(await codeOf(files.read("pipe", 10))).toBe("host.file-failed");
});

test("an error names the path as it was asked for, never where the root lies", async () => {
  const error = await createFileTree(root)
    .read("folder/missing", 10)
    .catch((error: unknown) => error);
  expect((error as Error).message).toContain('"folder/missing"');
  expect((error as Error).message).not.toContain(base);
});

test("trees of bad limits are not made", () => {
  for (const options of [{ names: 0 }, { names: 2e6 }, { writeBytes: -1 }, { writeBytes: Number.NaN }])
    expect(() => createFileTree(root, options)).toThrow(
      expect.objectContaining({ code: "host.bad-option" }) as Error,
    );
});
