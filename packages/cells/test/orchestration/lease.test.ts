/** Leases: one holder per epoch, and what a fence is for. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import { openSqliteFences } from "@glia-os/store/sqlite-fences";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AgentContext, type AgentRef, type AgentRoutine, agent } from "../../src/agent/index.ts";
import {
  type BestEffortLease,
  createGroup,
  createMemoryFenceStore,
  type FencedLease,
  FenceGate,
  type Group,
  isHeld,
  join,
  type Leadership,
  lead,
  lease,
  leaseKeeper,
  release,
  renew,
  step,
  withLease,
} from "../../src/orchestration/index.ts";
import { RESOURCES_MAX } from "../../src/orchestration/lease-keeper.ts";
import { codeOf } from "./ids.ts";
import { virtualSystem } from "./virtual-system.ts";

/** An agent that holds leases for others to fight about. */
const holder = agent({
  name: "holder",
  state: (): { held: FencedLease | null } => ({ held: null }),
  on: {
    acquire: {
      *handle(
        ctx: AgentContext<{ held: FencedLease | null }>,
        [keeper, ttlMs]: readonly [AgentRef<ReturnType<typeof fencing>>, number],
      ): AgentRoutine<number> {
        ctx.state.held = yield* lease(ctx, keeper, "printer", ttlMs);
        return ctx.state.held.fence;
      },
    },
    renew: {
      *handle(ctx: AgentContext<{ held: FencedLease | null }>, ttlMs: number): AgentRoutine<boolean> {
        if (ctx.state.held === null) return false;
        ctx.state.held = yield* renew(ctx, ctx.state.held, ttlMs);
        return isHeld(ctx, ctx.state.held);
      },
    },
    release: {
      *handle(ctx: AgentContext<{ held: FencedLease | null }>): AgentRoutine<boolean> {
        const { held } = ctx.state;
        ctx.state.held = null;
        return held === null ? false : yield* release(ctx, held);
      },
    },
  },
});
const fencing = () => leaseKeeper({ engine: createMemoryFenceStore() });

describe("a lease", () => {
  it("LE1: is held by one at a time; whoever comes too early is told when to come again, and finds it then", async () => {
    const { run } = virtualSystem();
    await run(function* (ctx) {
      const keeper = yield* ctx.spawn(fencing());
      const [a, b] = [yield* ctx.spawn(holder), yield* ctx.spawn(holder)];
      expect(yield* ctx.ask(a, "acquire", [keeper, 100])).toBe(1);
      let retryAfterMs = 0;
      try {
        yield* lease(ctx, keeper, "printer", 50);
      } catch (error) {
        expect(error).toMatchObject({ code: "orchestration.lease-held", details: { holder: a.id } });
        retryAfterMs = (error as { details: { retryAfterMs: number } }).details.retryAfterMs;
      }
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(retryAfterMs).toBeLessThanOrEqual(100);
      yield* ctx.sleep(retryAfterMs);
      expect(yield* ctx.ask(b, "acquire", [keeper, 100])).toBe(2);
      expect((yield* lease(ctx, keeper, "scanner", 10)).fence).toBe(1);
    });
  });

  it("LE1: lasts as long as it is renewed, ends when it is given back, and is lost when it ran out", async () => {
    const { run } = virtualSystem();
    await run(function* (ctx) {
      const keeper = yield* ctx.spawn(fencing());
      let held = yield* lease(ctx, keeper, "printer", 100);
      for (let n = 0; n < 5; n++) {
        yield* ctx.sleep(60);
        held = yield* renew(ctx, held, 100);
        expect([held.fence, isHeld(ctx, held)]).toEqual([1, true]);
      }
      expect(yield* release(ctx, held)).toBe(true);
      const again = yield* lease(ctx, keeper, "printer", 100);
      expect(again.fence).toBe(2);
      yield* ctx.sleep(101);
      expect(isHeld(ctx, again)).toBe(false);
      try {
        yield* renew(ctx, again, 100);
        expect.unreachable();
      } catch (error) {
        expect(error).toMatchObject({ code: "orchestration.lease-lost", details: { epoch: 2 } });
      }
      expect(yield* release(ctx, held)).toBe(false);
    });
  });

  it("LE1: at most one holder per epoch, and epochs grow, whatever holders do and whenever the keeper restarts", async () => {
    const action = fc.record({
      who: fc.nat(2),
      what: fc.constantFrom("acquire", "renew", "release", "restart"),
      ms: fc.nat(120),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 25 }), async (actions) => {
        const engine = createMemoryFenceStore();
        const { run } = virtualSystem();
        await run(function* (ctx) {
          let keeper = yield* ctx.spawn(leaseKeeper({ engine }));
          const who = [yield* ctx.spawn(holder), yield* ctx.spawn(holder), yield* ctx.spawn(holder)];
          const granted: number[] = [];
          let until = 0;
          for (const { who: n, what, ms } of actions) {
            yield* ctx.sleep(ms);
            const one = who[n] as AgentRef<typeof holder>;
            try {
              if (what === "acquire") {
                const fence = yield* ctx.ask(one, "acquire", [keeper, 100]);
                expect(fence).toBeGreaterThan(granted.at(-1) ?? 0);
                expect(ctx.now()).toBeGreaterThanOrEqual(until);
                granted.push(fence);
                until = ctx.now() + 100;
              } else if (what === "renew" && (yield* ctx.ask(one, "renew", 100))) until = ctx.now() + 100;
              else if (what === "release" && (yield* ctx.ask(one, "release"))) until = 0;
              else if (what === "restart") {
                ctx.stop(keeper);
                keeper = yield* ctx.spawn(leaseKeeper({ engine }));
              }
            } catch {
              // Held by another, lost, or asked of a keeper that is gone: nothing was granted.
            }
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  it("LE2: without an engine it has no fence, and what wants a fence does not compile with it", async () => {
    const { run } = virtualSystem();
    await run(function* (ctx) {
      const keeper = yield* ctx.spawn(leaseKeeper());
      const held: BestEffortLease = yield* lease(ctx, keeper, "printer", 100);
      expect("fence" in held).toBe(false);
      const gate = new FenceGate("printer");
      // @ts-expect-error: a lease of best effort has no fence
      expect(codeOf(() => gate.pass(held))).toBe("orchestration.lease-lost");
      // @ts-expect-error: a keeper of best effort gives no fenced lease
      const wrong: AgentRoutine<FencedLease> = lease(ctx, keeper, "other", 100);
      expect(wrong).toBeDefined();
      // @ts-expect-error: nor does withLease take it
      expect(withLease(ctx, keeper, { resource: "x", ttlMs: 1 }, function* () {})).toBeDefined();
      expect(yield* release(ctx, yield* renew(ctx, held, 50))).toBe(true);
    });
  });

  it("a holder that stood still too long is stopped by the fence, not by its belief", async () => {
    const { run } = virtualSystem();
    await run(function* (ctx) {
      const keeper = yield* ctx.spawn(fencing());
      const gate = new FenceGate("printer");
      const first = yield* lease(ctx, keeper, "printer", 50);
      gate.pass(first);
      yield* ctx.sleep(60);
      const second = yield* lease(ctx, keeper, "printer", 50);
      gate.pass(second);
      expect(codeOf(() => gate.pass(first))).toBe("orchestration.lease-lost");
      gate.pass(second);
      expect(gate.seen).toBe(2);
      expect(codeOf(() => new FenceGate("printer", 7).pass(second))).toBe("orchestration.lease-lost");
      expect(codeOf(() => gate.pass({ fence: Number.NaN }))).toBe("orchestration.lease-lost");
    });
  });

  it("is given back when what was done under it fails", async () => {
    const { run } = virtualSystem();
    await run(function* (ctx) {
      const keeper = yield* ctx.spawn(fencing());
      const wanted = { resource: "printer", ttlMs: 10_000 };
      try {
        yield* withLease(ctx, keeper, wanted, function* () {
          throw new RangeError("out of paper");
        });
      } catch (error) {
        expect(String(error)).toMatch(/out of paper/);
      }
      const fence = yield* withLease(ctx, keeper, wanted, function* (held) {
        yield* ctx.sleep(5);
        return held.fence;
      });
      expect(fence).toBe(2);
    });
  });

  it("what came of the work under it stays when its keeper cannot take it back", async () => {
    const { run } = virtualSystem();
    await run(function* (ctx) {
      const wanted = { resource: "printer", ttlMs: 10_000 };
      const first = yield* ctx.spawn(fencing());
      const done = yield* withLease(ctx, first, wanted, function* () {
        ctx.stop(first);
        yield* ctx.sleep(1);
        return "printed";
      });
      expect(done).toBe("printed");
      const second = yield* ctx.spawn(fencing());
      try {
        yield* withLease(ctx, second, wanted, function* () {
          ctx.stop(second);
          yield* ctx.sleep(1);
          throw new RangeError("out of paper");
        });
        expect.unreachable();
      } catch (error) {
        expect(String(error)).toMatch(/out of paper/);
      }
    });
  });

  it("keeps its epochs on SQLite across keepers and files that are opened again", async () => {
    const folder = mkdtempSync(joinPath(tmpdir(), "fence-"));
    try {
      for (let life = 1; life <= 3; life++) {
        const engine = openSqliteFences({ path: joinPath(folder, "fence.db") });
        const { run } = virtualSystem();
        const fence = await run(function* (ctx) {
          yield* ctx.sleep(1000 * life);
          return (yield* lease(ctx, yield* ctx.spawn(leaseKeeper({ engine })), "printer", 10)).fence;
        });
        expect(fence).toBe(life);
        engine.close();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("LS1 and LS2: names one leader of a group per epoch, another one after it, and no stranger", async () => {
    const member = agent({
      name: "member",
      on: {
        lead: {
          *handle(
            ctx: AgentContext,
            [group, keeper]: readonly [Group, AgentRef<ReturnType<typeof fencing>>],
          ): AgentRoutine<Leadership> {
            return yield* lead(ctx, group, keeper, 100);
          },
        },
      },
    });
    const { run } = virtualSystem();
    await run(function* (ctx) {
      const keeper = yield* ctx.spawn(fencing());
      const members = [yield* ctx.spawn(member), yield* ctx.spawn(member)] as const;
      const group = createGroup("crew", members);
      const first = yield* ctx.ask(members[0], "lead", [group, keeper]);
      expect(first).toMatchObject({ leads: true, lease: { fence: 1 } });
      const other = yield* ctx.ask(members[1], "lead", [join(group, { id: "f".repeat(32) }), keeper]);
      expect(other).toMatchObject({ leads: false, leader: members[0].id });
      yield* ctx.sleep(100);
      expect(yield* ctx.ask(members[1], "lead", [group, keeper])).toMatchObject({
        leads: true,
        lease: { fence: 2 },
      });
      const codes: unknown[] = [];
      const dissolving = step(createGroup("gone", [ctx.self]), "dissolving");
      for (const one of [group, dissolving])
        try {
          yield* lead(ctx, one, keeper, 100);
        } catch (error) {
          codes.push((error as { code: string }).code);
        }
      expect(codes).toEqual(["orchestration.unknown-member", "orchestration.group-state"]);
    });
  });

  it("a keeper outlives requests that are none, asked or told", async () => {
    const { run } = virtualSystem();
    await run(function* (ctx) {
      const keeper = yield* ctx.spawn(fencing());
      for (const rubbish of [
        null,
        7,
        "text",
        [],
        { resource: 1 },
        { resource: "r", holder: null, ttlMs: "long" },
      ])
        for (const message of ["acquire", "renew", "release"] as const) {
          ctx.tell<unknown>(keeper, message, rubbish);
          try {
            yield* ctx.ask<unknown>(keeper, message, rubbish);
          } catch (error) {
            expect(errorCodeOf(error)).toMatch(/^(agent\.handler-failed|orchestration\.)/);
          }
        }
      expect((yield* lease(ctx, keeper, "printer", 10)).fence).toBe(1);
    });
  });

  it("refuses names and times out of range, and LK3: a keeper without an engine holds 10,000 leases, and forgets those that are over", async () => {
    const { run } = virtualSystem();
    await run(function* (ctx) {
      const keeper = yield* ctx.spawn(leaseKeeper());
      const codes: unknown[] = [];
      for (const [resource, ttlMs] of [
        ["", 10],
        ["r".repeat(257), 10],
        ["r", 0],
        ["r", 86_400_001],
        ["r", 1.5],
      ] as const)
        try {
          yield* lease(ctx, keeper, resource, ttlMs);
        } catch (error) {
          codes.push((error as { details?: { code?: string } }).details?.code);
        }
      expect(codes).toEqual(Array(5).fill("orchestration.bad-option"));
      for (let n = 0; n < RESOURCES_MAX; n++) yield* lease(ctx, keeper, `r${n}`, 10);
      try {
        yield* lease(ctx, keeper, "one more", 10);
        expect.unreachable();
      } catch (error) {
        expect(String(error)).toMatch(/resources/);
      }
      yield* ctx.sleep(11);
      const next = yield* lease(ctx, keeper, "one more", 10);
      const again = yield* lease(ctx, keeper, "r0", 10);
      expect([next.grant.bestEffort, again.grant.bestEffort]).toEqual([1, 2]);
      for (const holder of ["", ctx.self.id]) {
        const claim = { resource: "r1", holder, epoch: 1 };
        expect(yield* ctx.ask<unknown>(keeper, "release", claim)).toBe(false);
      }
    });
  });
});
