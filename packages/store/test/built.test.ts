/** The built form of the package: one folder of JavaScript, started without the source condition or type stripping. */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Options } from "tsup";
import { afterAll, beforeAll, expect, it } from "vitest";
import config from "../tsup.config.ts";
import { temporaryFolder } from "./fixtures/harness.ts";

const options = config as Options;
const folder = temporaryFolder();
const packageRoot = join(import.meta.dirname, "..");

beforeAll(async () => {
  const absolute = Object.entries(options.entry as Record<string, string>).map(
    ([name, file]) => [name, join(packageRoot, file)] as const,
  );
  await build({
    ...options,
    config: false,
    silent: true,
    dts: false,
    outDir: folder,
    entry: Object.fromEntries(absolute),
    // The vocabulary goes into the bundle from its source, so that no other package has to be built first.
    noExternal: [/^@glia-os\//],
    esbuildOptions: (esbuild) => {
      esbuild.conditions = ["@glia-os/source"];
    },
  });
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Run a program that imports the built files, without any environment. */
function runBuilt(name: string, source: string): SpawnSyncReturns<string> {
  const program = join(folder, name);
  writeFileSync(program, source);
  return spawnSync(process.execPath, [program], { encoding: "utf8", env: {}, timeout: 30_000 });
}

it("a store opened from the built files finds its worker, commits and closes", () => {
  const child = runBuilt(
    "program.mjs",
    `import { openSqliteCoordination } from "./sqlite.js";
     const store = await openSqliteCoordination({ path: ${JSON.stringify(join(folder, "a.db"))} });
     const { fence } = await store.openSession("a".repeat(64), 5_000, "open");
     await store.close();
     console.log("fence", fence);`,
  );
  expect(child).toMatchObject({ stdout: "fence 1\n", stderr: "", status: 0 });
});

it("a journal opened from the built files finds its worker, appends and closes", () => {
  const child = runBuilt(
    "journal-program.mjs",
    `import { openFileJournal } from "./journal.js";
     const journal = await openFileJournal({ folder: ${JSON.stringify(join(folder, "journal"))} });
     await journal.append({ domain: "a", epoch: 1, firstSeq: 1, count: 1, body: new Uint8Array([7]) });
     const { nextSeq } = await journal.head("a");
     await journal.close();
     console.log("next", nextSeq);`,
  );
  expect(child).toMatchObject({ stdout: "next 2\n", stderr: "", status: 0 });
});

it("blobs opened from the built files find their worker, keep a blob and close", () => {
  const child = runBuilt(
    "blobs-program.mjs",
    `import { openFileBlobs } from "./blobs.js";
     const blobs = await openFileBlobs({ folder: ${JSON.stringify(join(folder, "blobs"))} });
     const hash = await blobs.put(new Uint8Array([7]));
     const [byte] = await blobs.get(hash);
     await blobs.close();
     console.log("byte", byte);`,
  );
  expect(child).toMatchObject({ stdout: "byte 7\n", stderr: "", status: 0 });
});

it("a store of keys opened from the built files finds its worker, commits and closes", () => {
  const child = runBuilt(
    "keys-program.mjs",
    `import { openSqliteKeyValue } from "./key-value.js";
     const keys = await openSqliteKeyValue({ path: ${JSON.stringify(join(folder, "keys.db"))} });
     const version = await keys.put("a", new Uint8Array([7]), 0);
     await keys.close();
     console.log("version", version);`,
  );
  expect(child).toMatchObject({ stdout: "version 1\n", stderr: "", status: 0 });
});

it("a journal on SQLite opened from the built files finds its worker, appends and closes", () => {
  const child = runBuilt(
    "sqlite-journal-program.mjs",
    `import { openSqliteJournal } from "./journal-sqlite.js";
     const journal = await openSqliteJournal({ path: ${JSON.stringify(join(folder, "journal.db"))} });
     await journal.append({ domain: "a", epoch: 1, firstSeq: 1, count: 1, body: new Uint8Array([7]) });
     const { nextSeq } = await journal.head("a");
     await journal.close();
     console.log("next", nextSeq);`,
  );
  expect(child).toMatchObject({ stdout: "next 2\n", stderr: "", status: 0 });
});

it("C5: a store on PostgreSQL can be imported without the package pg, and says what is missing when it is opened", () => {
  const child = runBuilt(
    "postgres-program.mjs",
    `import { openPostgresJournal } from "./postgres-journal.js";
     await openPostgresJournal({ url: "postgresql://127.0.0.1:1/x" }).catch(({ code, message }) => console.log(code, message));`,
  );
  expect(child).toMatchObject({ stderr: "", status: 0 });
  expect(child.stdout).toMatch(/^store.engine-unfit .*the package pg is not installed/);
});
