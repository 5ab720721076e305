import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeRecord, KIND } from "@glia-os/durable";
import { openFileJournal } from "@glia-os/store/journal";
import { afterEach, beforeEach, expect, it } from "vitest";

const SOAK = process.env["GLIA_SOAK"] === "1";
const DOMAINS = SOAK ? 1_000 : 100;
const KILLS = SOAK ? 200 : 5;
const STEPS = 5;

const childFile = fileURLToPath(new URL("./fixtures/working-child.ts", import.meta.url));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "glia-durable-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Run the child until it performed this many steps, or to its end. Returns what it printed. */
async function runUntil(steps: number, performed: string): Promise<string> {
  const args = [
    "--conditions=@glia-os/source",
    childFile,
    join(folder, "journal"),
    performed,
    String(DOMAINS),
  ];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.on("data", (bytes: Buffer) => {
    printed += bytes.toString();
  });
  const watcher = watch(performed, () => {
    if (lines(performed).length >= steps) child.kill("SIGKILL");
  });
  await once(child, "exit");
  watcher.close();
  return printed;
}

function lines(file: string): readonly string[] {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
}

/** The keys of all calls whose outcomes stand in the journal. */
async function recordedKeys(): Promise<ReadonlySet<string>> {
  const journal = await openFileJournal({ folder: join(folder, "journal") });
  const keys = new Set<string>();
  for (const { domain } of await journal.domains("", 10_000)) {
    const calls = new Map<string, number>();
    for await (const { body } of journal.read(domain, 1)) {
      for (let rest = body; rest.length > 0; ) {
        const { record, bytes } = decodeRecord(rest);
        rest = rest.subarray(bytes);
        if (record.kind !== KIND.resume) continue;
        const path = ["/0", ...record.path].join("/");
        calls.set(path, (calls.get(path) ?? 0) + 1);
        keys.add(`${domain}:${path}#${calls.get(path)}`);
      }
    }
  }
  await journal.close();
  return keys;
}

it(`after ${KILLS} times kill -9 all ${DOMAINS} domains end with the right result, and no step whose answer was recorded runs again`, async () => {
  const performed = join(folder, "performed");
  writeFileSync(performed, "");
  const total = DOMAINS * STEPS;
  for (let kill = 1; kill <= KILLS; kill++) {
    await runUntil(lines(performed).length + Math.ceil(total / KILLS / 2), performed);
    const done = lines(performed).length;
    const recorded = await recordedKeys();
    await runUntil(done + 1, performed);
    const again = lines(performed)
      .slice(done)
      .filter((key) => recorded.has(key));
    expect(again).toEqual([]);
  }
  const printed = await runUntil(Number.POSITIVE_INFINITY, performed);
  const expected = Array.from({ length: DOMAINS }, (_, i) => i + 2 * (0 + 1 + 2 + 3) + 20);
  expect(JSON.parse(printed)).toEqual(expected);
  expect(new Set(lines(performed)).size).toBe(total);
}, 900_000);
