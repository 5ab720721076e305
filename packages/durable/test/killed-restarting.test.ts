import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeRecord, KIND } from "@glia-os/durable";
import { openFileJournal } from "@glia-os/store/journal";
import { afterEach, beforeEach, expect, it } from "vitest";

const SOAK = process.env["GLIA_SOAK"] === "1";
const STAGES = SOAK ? "decided,before,after" : "before:fresh,after";
const CHOICES = 4;
const KILLS = SOAK ? 3 * CHOICES : 1 + CHOICES;
const childFile = fileURLToPath(new URL("./fixtures/restarting-child.ts", import.meta.url));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "glia-restarting-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Run the child until it kills itself or ends; undefined when it killed itself. */
async function run(): Promise<string | undefined> {
  const args = ["--conditions=@glia-os/source", childFile, folder, STAGES];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.on("data", (bytes: Buffer) => {
    printed += bytes.toString();
  });
  const [, signal] = (await once(child, "close")) as [number | null, string | null];
  return signal === "SIGKILL" ? undefined : printed;
}

/** How many decisions the journal of each domain has. */
async function decisions(): Promise<Record<string, number>> {
  const journal = await openFileJournal({ folder: join(folder, "journal") });
  const counts: Record<string, number> = {};
  for (const { domain } of await journal.domains("", 10)) {
    counts[domain] = 0;
    for await (const { body } of journal.read(domain, 1))
      for (let rest = body; rest.length > 0; ) {
        const { record, bytes } = decodeRecord(rest);
        rest = rest.subarray(bytes);
        if (record.kind === KIND.restart) counts[domain] = (counts[domain] ?? 0) + 1;
      }
  }
  await journal.close();
  return counts;
}

it(`after ${KILLS} times kill -9 while restarts are decided and appended, each of ${CHOICES} choices was made once and every step applied once`, async () => {
  let kills = 0;
  let printed = await run();
  for (; printed === undefined && kills < 40; kills++) printed = await run();
  expect(kills).toBe(KILLS);
  expect(JSON.parse(printed ?? "")).toEqual({
    resume: [0, 1, 2],
    fresh: [0, 1, 2],
    replace: [0, "replaced", 2],
    escalate: "not yet",
  });
  expect(await decisions()).toEqual({ escalate: 1, fresh: 1, replace: 1, resume: 1 });
  const applied = readFileSync(join(folder, "applied"), "utf8").split("\n").slice(0, -1);
  expect(applied.sort()).toEqual([
    "escalate:/0#1",
    "fresh:/0#1",
    "fresh:/0#1.1",
    "fresh:/0#1.2",
    "fresh:/0#1.3",
    "replace:/0#1",
    "replace:/0#3",
    "resume:/0#1",
    "resume:/0#2",
    "resume:/0#3",
  ]);
}, 120_000);
