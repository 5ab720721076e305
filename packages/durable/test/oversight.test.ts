/** Policies, the guard before services, and the chain of the audit. */
import type { Approval, ApprovalBoard, PostedApproval } from "@glia-os/abi/ports";
import { SYSCALLS } from "@glia-os/abi/syscalls";
import {
  type AppendFile,
  type AuditEntry,
  AuditLog,
  approvalService,
  askedBecause,
  auditEntries,
  checkedPolicy,
  Domains,
  type DurableProgram,
  type Oversight,
  type OversightPolicy,
  overseen,
} from "@glia-os/durable";
import { createSystemDigests } from "@glia-os/hal";
import { toolService } from "@glia-os/kernel/services";
import { SeededRandom } from "@glia-os/kernel/testing";
import { createMemoryJournal } from "@glia-os/store/journal-memory";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TestWorld } from "./durable-world.ts";

const digests = createSystemDigests();

/** A file in memory that a test can let fail. */
class MemoryFile implements AppendFile {
  bytes: Uint8Array = new Uint8Array();
  failing = false;

  async read(): Promise<Uint8Array> {
    return this.bytes;
  }

  async append(more: Uint8Array): Promise<void> {
    if (this.failing) throw new RangeError("no room");
    this.bytes = Uint8Array.of(...this.bytes, ...more);
  }

  get entries(): readonly AuditEntry[] {
    return [...auditEntries(this.bytes, digests)];
  }
}

/** A board in memory. */
class MemoryBoard implements ApprovalBoard {
  readonly posted = new Map<string, PostedApproval>();
  readonly #waiting = new Map<string, (approval: Approval) => void>();

  async post(request: Parameters<ApprovalBoard["post"]>[0]): Promise<PostedApproval> {
    const id = `${request.key}|${request.args}`;
    const posted = this.posted.get(id) ?? { id, askedMs: 0, ...request };
    this.posted.set(id, posted);
    return posted;
  }

  async answered(id: string): Promise<Approval> {
    const answer = this.posted.get(id)?.answer;
    if (answer !== undefined) return { approved: answer.approved, by: answer.by };
    return await new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  async answer(id: string, approval: Approval): Promise<PostedApproval> {
    const posted = { ...(this.posted.get(id) as PostedApproval), answer: { ...approval, atMs: 0 } };
    this.posted.set(id, posted);
    this.#waiting.get(id)?.(approval);
    return posted;
  }

  async list(): Promise<readonly PostedApproval[]> {
    return [...this.posted.values()];
  }

  async withdraw(): Promise<number> {
    return 0;
  }
}

/** Calls `act` for each item and returns the answers, or the codes of failures. */
const calls: DurableProgram<readonly unknown[]> = {
  name: "calls",
  uses: ["act"],
  run: (items) =>
    function* (sys, _inbox, act) {
      const answers: unknown[] = [];
      for (const item of items) {
        try {
          answers.push(yield* sys.exec(act!, item));
        } catch (error) {
          const { code, details } = error as { code: string; details?: { code?: string } };
          answers.push(details?.code ?? code);
        }
      }
      return answers;
    },
};

interface Overseen {
  readonly world: TestWorld;
  readonly file: MemoryFile;
  readonly board: MemoryBoard;
  readonly performed: unknown[];
}

async function overseenWorld(
  policy?: OversightPolicy,
  act: (input: unknown) => Promise<unknown> = async (input) => input,
  kept: { file?: MemoryFile; board?: MemoryBoard; world?: TestWorld } = {},
  program: DurableProgram = calls as DurableProgram,
): Promise<Overseen> {
  const { file = new MemoryFile(), board = new MemoryBoard() } = kept;
  const performed: unknown[] = [];
  const service = toolService({
    run: async (input) => {
      performed.push(input);
      return await act(input);
    },
  });
  const audit = await AuditLog.open(file, digests);
  const oversight: Oversight = { audit, board, digests, nowMs: () => 7, ...(policy && { policy }) };
  const services = overseen({ act: { service }, approver: approvalService(board) }, oversight);
  const world = new TestWorld([program], services, kept.world?.journal);
  return { world, file, board, performed };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("policy", () => {
  const call = { service: "act", key: "d:/0#1", failing: false };

  it("OP1: supervised asks for every call, autonomous for none but those after a failure", () => {
    expect(askedBecause({ mode: "supervised" }, call, digests)).toBe("supervised");
    expect(askedBecause({ mode: "autonomous" }, call, digests)).toBeUndefined();
    expect(askedBecause({ mode: "autonomous" }, { ...call, failing: true }, digests)).toBe("escalated");
  });

  it("OP1: spot-check asks for the fraction, and for the same calls again with the same seed", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.string({ maxLength: 20 }),
        (fraction, seed) => {
          const policy = { mode: "spot-check", fraction, seed } as const;
          const ask = () =>
            Array.from({ length: 400 }, (_, i) =>
              askedBecause(policy, { ...call, key: `d:/0#${i}` }, digests),
            );
          const asked = ask();
          expect(ask()).toEqual(asked);
          const share = asked.filter((each) => each === "spot-check").length / asked.length;
          expect(Math.abs(share - fraction)).toBeLessThan(0.15);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("OP2: always goes before exempt, and exempt before the mode", () => {
    const policy = { mode: "supervised", exempt: ["act"] } as const;
    expect(askedBecause(policy, call, digests)).toBeUndefined();
    expect(askedBecause({ ...policy, always: ["act"] }, call, digests)).toBe("always");
  });

  it.each([
    ["no object", 3],
    ["another mode", { mode: "lax" }],
    ["a fraction beyond 1", { mode: "spot-check", fraction: 1.1 }],
    ["no number", { mode: "spot-check", fraction: Number.NaN }],
    ["a long seed", { mode: "spot-check", seed: "s".repeat(201) }],
    ["too many names", { mode: "supervised", exempt: Array(65).fill("a") }],
    ["a name that is none", { mode: "supervised", always: [1] }],
    ["a misspelt key", { mode: "supervised", exmpt: [] }],
  ])("%s is refused", (_case, policy) => {
    expect(() => checkedPolicy(policy)).toThrow(expect.objectContaining({ code: "oversight.bad-policy" }));
  });
});

describe("guard", () => {
  it("G1: no call begins before its entry is durable: with an audit that takes nothing, nothing is performed", async () => {
    const { world, file, performed } = await overseenWorld();
    file.failing = true;
    const domain = await world.domains.start("d", calls, ["a"]);
    expect(await domain.result).toEqual(["oversight.audit-unwritable"]);
    expect(performed).toEqual([]);
  });

  it("G1: a denied call is not begun; the program hears so and the audit names who denied it", async () => {
    const { world, file, board, performed } = await overseenWorld({ mode: "supervised" });
    const domain = await world.domains.start("d", calls, ["a"]);
    while (board.posted.size === 0) await settled();
    const [{ id }] = (await board.list()) as [PostedApproval];
    await board.answer(id, { approved: false, by: "Ada", reason: "no" });
    expect(await domain.result).toEqual(["oversight.denied"]);
    expect(performed).toEqual([]);
    expect(file.entries).toMatchObject([{ action: "denied", by: "Ada", reason: "no", mode: "supervised" }]);
  });

  it("G2: a call that waited for its approval waits on after a restart; one that had begun is not begun again", async () => {
    const first = await overseenWorld({ mode: "supervised" }, () => new Promise(() => {}));
    await first.world.domains.start("d", calls, ["a"]);
    while (first.board.posted.size === 0) await settled();
    const again = (before: Overseen) =>
      overseenWorld({ mode: "supervised" }, () => new Promise(() => {}), before);
    const second = await again(first);
    await second.world.domains.recover();
    await settled();
    expect(second.performed).toEqual([]);
    const [{ id }] = (await second.board.list()) as [PostedApproval];
    await second.board.answer(id, { approved: true, by: "Ada" });
    while (second.performed.length === 0) await settled();
    await second.world.domains.close();
    const third = await again(second);
    await third.world.domains.recover();
    expect(await third.world.domains.get("d")?.result).toEqual(["durable.outcome-unknown"]);
    expect([second.performed, third.performed]).toEqual([["a"], []]);
  });

  it("autonomous: after a failure the next call of the service asks, and after an approved success it does not", async () => {
    const failing = async (input: unknown) => {
      if (input === "bad") throw new RangeError("bad");
      return input;
    };
    const { world, board } = await overseenWorld({ mode: "autonomous" }, failing);
    const domain = await world.domains.start("d", calls, ["a", "bad", "b", "c"]);
    while (board.posted.size === 0) await settled();
    const [{ id, key, question }] = (await board.list()) as [PostedApproval];
    expect([key, question]).toEqual(["d:/0#3", "May act be called? (escalated)"]);
    await board.answer(id, { approved: true, by: "Ada" });
    expect(await domain.result).toEqual(["a", expect.any(String), "b", "c"]);
    expect(board.posted.size).toBe(1);
  });

  it("G2: calls after a checkpoint are new ones, though their tasks count from 1 again", async () => {
    const renewing: DurableProgram<number> = {
      name: "renewing",
      uses: ["act"],
      run: (round) =>
        function* (sys, _inbox, act) {
          const got = [yield* sys.exec(act!, [round, 1]), yield* sys.exec(act!, [round, 2])];
          return round === 3 ? got : yield* sys.checkpoint(round + 1);
        },
    };
    const { performed, world, file } = await overseenWorld(
      undefined,
      undefined,
      {},
      renewing as DurableProgram,
    );
    const domain = await world.domains.start("d", renewing, 1);
    expect(await domain.result).toEqual([
      [3, 1],
      [3, 2],
    ]);
    expect(performed).toHaveLength(6);
    const log = await AuditLog.open(file, digests);
    expect(["d:/0#2", "d:/0#2.2", "d:/0#2.3", "d:/0#3.1"].map((key) => log.wasAllowed(key))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it("G3: the arguments of a tool leave no trace in the audit", async () => {
    const { world, file } = await overseenWorld();
    await (await world.domains.start("d", calls, ["the secret word"])).result;
    const text = String.fromCharCode(...file.bytes);
    expect(text).not.toContain("secret word");
    expect(file.entries.map(({ action, args }) => [action, args])).toEqual([
      ["allowed", undefined],
      ["ended", undefined],
    ]);
  });
});

describe("audit", () => {
  async function filled(count: number): Promise<MemoryFile> {
    const file = new MemoryFile();
    const log = await AuditLog.open(file, digests);
    for (let i = 1; i <= count; i++)
      await log.append({ atMs: i, action: "allowed", domain: "d", key: `d:/0#${i}`, reason: "naïve ☂" });
    return file;
  }
  const brokenAt = (bytes: Uint8Array): number => {
    let whole = 0;
    try {
      for (const { number } of auditEntries(bytes, digests)) whole = number;
    } catch (error) {
      expect((error as { code: string }).code).toBe("oversight.audit-broken");
      return (error as { details: { entry: number } }).details.entry;
    }
    return 0 - whole;
  };

  it("AU1: a changed byte is found at its entry or the one after; only the cut end of the last line is not an entry", async () => {
    const { bytes } = await filled(6);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = bytes.slice();
        changed[at] = changed[at]! ^ flip;
        const entry = 1 + bytes.subarray(0, at).filter((byte) => byte === 10).length;
        const found = brokenAt(changed);
        if (at === bytes.length - 1) expect(found).toBe(-5);
        else expect(found).toBe(entry);
      }),
      { numRuns: 300 },
    );
  });

  it("AU1: of entries in any other order, or with some taken out or repeated, the first wrong place is named", async () => {
    const { bytes } = await filled(6);
    const rows = String.fromCharCode(...bytes)
      .trimEnd()
      .split("\n");
    fc.assert(
      fc.property(fc.array(fc.nat(5), { maxLength: 8 }), (order) => {
        const text = order.map((i) => `${rows[i]}\n`).join("");
        const wrong = order.findIndex((row, i) => row !== i);
        expect(brokenAt(Uint8Array.from(text, (c) => c.charCodeAt(0)))).toBe(
          wrong < 0 ? 0 - order.length : wrong + 1,
        );
      }),
      { numRuns: 200 },
    );
  });

  it("an audit that was opened again goes on with its chain, and a broken one is not gone on with", async () => {
    const file = await filled(2);
    const log = await AuditLog.open(file, digests);
    await log.append({ atMs: 3, action: "rollback", domain: "d" });
    expect(file.entries.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(log.wasAllowed("d:/0#1")).toBe(false);
    file.bytes = file.bytes.slice(20);
    await expect(AuditLog.open(file, digests)).rejects.toMatchObject({ code: "oversight.audit-broken" });
  });
});

it("a refusal of the kernel is told once: when it happens, and not again in a replay", async () => {
  const greedy: DurableProgram<null> = {
    name: "greedy",
    uses: ["act"],
    run: () =>
      function* (sys, box, act) {
        try {
          yield* sys.model(act!, "a tool is no model");
        } catch {
          // Goes on without.
        }
        return yield* sys.receive(box!);
      },
  };
  const journal = createMemoryJournal();
  const told: unknown[] = [];
  const make = () =>
    new Domains({
      journal,
      clock: { monotonicMs: () => 0, wallMs: () => 7 },
      timers: { schedule: () => ({ cancel: () => {} }) },
      random: new SeededRandom("test"),
      digests,
      programs: [greedy as DurableProgram],
      services: { act: { service: toolService({ run: async () => 1 }) } },
      onRefused: (...refusal) => told.push(refusal),
    });
  const first = make();
  await first.start("d", greedy, null);
  const model = SYSCALLS.get("model")?.number;
  expect(told).toEqual([["d", "/0", model]]);
  await first.close();
  const second = make();
  await second.recover();
  await second.get("d")?.tell("go on");
  expect(await second.get("d")?.result).toBe("go on");
  expect(told).toHaveLength(1);
});
