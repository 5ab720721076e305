import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeRecord, KIND } from "@glia-os/durable";
import { openFileJournal } from "@glia-os/store/journal";
import { expect, it } from "vitest";

const SOAK = process.env["GLIA_SOAK"] === "1";
const DOMAINS = SOAK ? 200 : 20;
const KILLS = SOAK ? 40 : 4;
const ROUNDS = 6;

const childFile = fileURLToPath(new URL("./fixtures/renewing-child.ts", import.meta.url));

function lines(file: string): readonly string[] {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
}

/** Run the child until so many steps were performed, or to its end. Returns what it printed. */
async function runUntil(folder: string, steps: number): Promise<string> {
  const performed = join(folder, "performed");
  const args = ["--conditions=@glia-os/source", childFile, folder, performed, String(DOMAINS)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.on("data", (bytes: Buffer) => {
    printed += bytes.toString();
  });
  const watcher = watch(performed, () => {
    if (lines(performed).length >= steps) child.kill("SIGKILL");
  });
  await once(child, "close");
  watcher.close();
  return printed;
}

/** How many rounds of each domain lie behind a durable checkpoint, and the longest journal. */
async function standing(folder: string): Promise<{ rounds: ReadonlyMap<string, number>; longest: number }> {
  const journal = await openFileJournal({ folder: join(folder, "journal") });
  const rounds = new Map<string, number>();
  let longest = 0;
  for (const { domain, firstSeq, bytes } of await journal.domains("", 10_000)) {
    longest = Math.max(longest, bytes);
    for await (const { body } of journal.read(domain, firstSeq))
      for (let at = 0; at < body.length; ) {
        const { record, bytes: length } = decodeRecord(body, at);
        at += length;
        if (record.kind === KIND.checkpoint) rounds.set(domain, record.renewal.beginning.generation ?? 0);
      }
  }
  await journal.close();
  return { rounds, longest };
}

it("after kill -9 agents go on from their last checkpoint with their large states, perform no finished round again, and keep short journals", async () => {
  const folder = mkdtempSync(join(tmpdir(), "glia-durable-"));
  const performed = join(folder, "performed");
  writeFileSync(performed, "");
  for (let kill = 1; kill <= KILLS; kill++) {
    await runUntil(folder, Math.ceil((kill * DOMAINS * ROUNDS) / (KILLS + 1)));
    const { rounds, longest } = await standing(folder);
    expect(longest).toBeLessThan(6_000);
    const before = lines(performed).length;
    await runUntil(folder, before + 1);
    for (const key of lines(performed).slice(before)) {
      const [, domain = "", round = "0"] = /^(.*):\/0#(?:(\d+)\.)?1$/.exec(key) ?? [];
      expect(Number(round), key).toBeGreaterThanOrEqual(rounds.get(domain) ?? 0);
    }
  }
  const results: unknown = JSON.parse(await runUntil(folder, Number.POSITIVE_INFINITY));
  const expected = Array.from({ length: ROUNDS }, (_, round) => `line ${round}`);
  expect(results).toEqual(Array.from({ length: DOMAINS }, () => expected));
  expect(new Set(lines(performed)).size).toBe(DOMAINS * ROUNDS);
  rmSync(folder, { recursive: true });
}, 900_000);
