/** Journals that cannot be used, as a person meets them: every refusal names what is wrong, and leaves the folder as it was. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Programs } from "./programs.ts";

const programs = new Programs();
afterAll(() => programs.clear());

const FILE = "00000001.journal";
const file = programs.write(
  "steps.ts",
  `export default {
    name: "steps",
    uses: ["step"],
    run: () => function* (sys, inbox, step) {
      for (let i = 0; i < 5; i++) yield* sys.exec(step, i);
      console.error("waiting");
      return yield* sys.receive(inbox);
    },
  };
  export const services = { step: async (i) => "step " + i };`,
);

beforeAll(async () => {
  const run = programs.start(["run", file, "--journal", "sound"]);
  await run.until("stderr", /waiting/);
  run.child.kill("SIGKILL");
  await run.result;
});

/** A copy of the sound journal with other bytes in its file. */
function journalWith(name: string, change: (bytes: Buffer) => void): string {
  cpSync(join(programs.folder, "sound"), join(programs.folder, name), { recursive: true });
  const path = join(programs.folder, name, FILE);
  const bytes = readFileSync(path);
  change(bytes);
  writeFileSync(path, bytes);
  return name;
}

/** The code of the refusal of each command that reads a journal, and whether its file is as it was. */
async function refusalsOf(journal: string): Promise<readonly unknown[]> {
  const path = join(programs.folder, journal, FILE);
  const before = readFileSync(path);
  const commands = [
    ["run", file, "--journal", journal, "--json"],
    ["journal", "list", journal, "--json"],
    ["journal", "show", journal, "steps", "--json"],
    ["replay", journal, "steps", "--program", file, "--json"],
  ];
  const codes: unknown[] = [];
  for (const command of commands) {
    const { code, stdout, stderr } = await programs.run(command);
    expect(stderr).not.toContain("    at ");
    const last = JSON.parse(stdout.trim().split("\n").at(-1) as string) as { error?: { code: string } };
    codes.push(code === 0 ? "done" : last.error?.code);
  }
  expect(readFileSync(path).equals(before)).toBe(true);
  return codes;
}

const GROUP = Buffer.from("GLJG");

describe("a journal", () => {
  it("with a damaged record before its end is refused by every command, with the file and the place", async () => {
    const journal = journalWith("damaged", (bytes) => {
      const second = bytes.indexOf(GROUP, bytes.indexOf(GROUP) + 4);
      bytes.writeUInt8(bytes.readUInt8(second + 40) ^ 1, second + 40);
    });
    expect(new Set(await refusalsOf(journal))).toEqual(new Set(["store.journal-corrupt"]));
    const { stderr } = await programs.run(["run", file, "--journal", journal]);
    expect(stderr).toContain(FILE);
  });

  it("of a later version is refused by every command, and not written", async () => {
    const journal = journalWith("later", (bytes) => {
      bytes.writeUInt32LE(2, 4);
      bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
    });
    const codes = await refusalsOf(journal);
    expect(new Set(codes).size).toBe(1);
    expect(codes[0]).toMatch(/^store\./);
    const { stderr } = await programs.run(["run", file, "--journal", journal]);
    expect(stderr).toMatch(/version/);
  });

  it("that another process runs is refused by name, and the first goes on", async () => {
    const run = programs.start(["run", file, "--journal", "shared"]);
    await run.until("stderr", /waiting/);
    const second = await programs.run(["run", file, "--journal", "shared", "--name", "other", "--json"]);
    expect(JSON.parse(second.stdout.trim())).toMatchObject({ ok: false, error: { code: "store.in-use" } });
    run.child.kill("SIGINT");
    expect((await run.result).code).toBe(130);
  });

  it("in a place that is no folder, or where none can be made, is refused by name", async () => {
    writeFileSync(join(programs.folder, "plain-file"), "");
    for (const place of ["plain-file", "plain-file/below"]) {
      const { code, stdout } = await programs.run(["run", file, "--journal", place, "--json"]);
      expect([place, code]).toEqual([place, 1]);
      expect((JSON.parse(stdout.trim()) as { error: { code: string } }).error.code).toMatch(/^store\./);
    }
  });

  it("whose large value was removed or changed is refused with the name of the blob", async () => {
    const large = programs.write(
      "large.ts",
      `export default { name: "large", uses: ["read", "tell"], run: () => function* (sys, inbox, read, tell) {
        const text = yield* sys.exec(read, null);
        yield* sys.exec(tell, text.length);
        return yield* sys.receive(inbox);
      } };
      export const services = {
        read: async () => "abcdefghij".repeat(20_000),
        // Its call begins when the large value is on the disk.
        tell: { repeatable: true, run: async (length) => console.error("waiting " + length) },
      };`,
    );
    const run = programs.start(["run", large, "--journal", "valued"]);
    await run.until("stderr", /waiting/);
    run.child.kill("SIGKILL");
    await run.result;
    const values = join(programs.folder, "valued", "values");
    const [shelf] = readdirSync(values).filter((name) => /^[0-9a-f]{2}$/.test(name));
    const [blob] = readdirSync(join(values, shelf as string));
    writeFileSync(join(values, shelf as string, blob as string), "other bytes");
    for (const command of [
      ["run", large, "--journal", "valued", "--json"],
      ["replay", "valued", "large", "--program", large, "--json"],
    ]) {
      const { stdout } = await programs.run(command);
      const last = JSON.parse(stdout.trim().split("\n").at(-1) as string) as Record<string, unknown>;
      expect(last).toMatchObject({ ok: false, error: { code: "durable.value-missing", details: { blob } } });
    }
  });
});
