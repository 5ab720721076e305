/** A WebAssembly guest as the program of a durable domain: it goes on where it was, and nothing that was answered is asked again. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Domains, type DurableProgram } from "@glia-os/durable";
import { compileAssemblyScript } from "@glia-os/guest-as/build";
import { createSystemClock, createSystemDigests, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { guestProgram } from "@glia-os/kernel/guests";
import { toolService } from "@glia-os/kernel/services";
import { openFileJournal } from "@glia-os/store/journal";
import { createWasmEngine } from "@glia-os/wasm";
import { instrument } from "@glia-os/wasm/pipeline";
import { afterAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "glia-durable-guest-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Adds what the tool answers to each of four messages to what it drew at its start; computes between them, in many slices of fuel. */
const SOURCE = `import { Capability, log, now, random, receive, INFO } from "@glia-os/guest-as/assembly";
export function glia_main(): i32 {
  const drawn = random(4);
  let sum: i32 = drawn[0] + drawn[1] + <i32>(now() & 0xff);
  log(INFO, "drawn " + sum.toString());
  const tool = Capability.named("tool")!;
  for (let seen = 0; seen < 4; seen++) {
    sum += receive().length;
    for (let at = 0; at < 300000; at++) sum = (sum * 31 + at) & 0xfffff;
    const answer = tool.exec(seen.toString());
    sum += answer === null ? -1 : I32.parseInt(answer);
  }
  return sum;
}`;

it("a guest of a durable domain is replayed to where it was and ends with the status of one that nothing interrupted", async () => {
  writeFileSync(join(folder, "agent.ts"), SOURCE);
  const original = await compileAssemblyScript(join(folder, "agent.ts"));
  const { bytes } = await instrument(original, { profile: "preemptive" });
  /** What the tool was asked, by the key of the call: one that was not answered yet is asked again under its key. */
  const asked = new Map<string, unknown>();
  const drawn: string[] = [];
  const services = {
    tool: {
      service: toolService({
        run: async (input, _cancel, key) => {
          asked.set(key, input);
          return 1000 + (input as number);
        },
      }),
      repeatable: true,
    },
  };
  const journal = await openFileJournal({ folder: join(folder, "journal") });
  // Everything anew: another engine, another kernel, as in another process.
  const open = async () => {
    const admitted = await createWasmEngine().admit(bytes, ["glia.v1", "glia.sys.v1"]);
    const program: DurableProgram<null> = {
      name: "summing",
      uses: ["tool"],
      run: () => guestProgram(admitted, { capabilities: [{ name: "tool" }], sliceFuel: 100_000 }),
    };
    const [clock, timers] = [createSystemClock(), createSystemTimers()];
    const [random, digests] = [createSystemRandom(), createSystemDigests()];
    const logger = {
      log: (_: unknown, text: string) => void (text.startsWith("drawn") && drawn.push(text)),
      child: () => logger,
    };
    const domains = new Domains({
      journal,
      clock,
      timers,
      random,
      digests,
      programs: [program],
      services,
      logger,
    });
    return { domains, program };
  };
  const first = await open();
  const domain = await first.domains.start("sum/1", first.program, null);
  for (const length of [1, 2]) await domain.tell(new Uint8Array(length));
  await until(() => asked.size === 2);
  await first.domains.close();

  const second = await open();
  expect((await second.domains.recover()).resumed).toEqual(["sum/1"]);
  const again = second.domains.get("sum/1");
  await again?.tell(new Uint8Array(3));
  await until(() => asked.size === 3);
  await second.domains.close();

  const third = await open();
  await third.domains.recover();
  const last = third.domains.get("sum/1");
  await last?.tell(new Uint8Array(4));
  const status = await last?.result;
  await third.domains.close();

  expect([...asked.values()]).toEqual([0, 1, 2, 3]);
  // What is replayed writes no line again.
  expect(drawn).toHaveLength(1);
  expect(status).toBe(expectedStatus(Number(drawn[0]?.slice("drawn ".length))));
  await journal.close();
});

/** The guest's arithmetic. */
function expectedStatus(drawn: number): number {
  let sum = drawn;
  for (let seen = 0; seen < 4; seen++) {
    sum += seen + 1;
    for (let at = 0; at < 300_000; at++) sum = (Math.imul(sum, 31) + at) & 0xfffff;
    sum += 1000 + seen;
  }
  return sum;
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}
