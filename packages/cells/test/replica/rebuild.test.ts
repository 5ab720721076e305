/** A guest that goes on from a copy: it is what its replies came from. */
import { errorCodeOf } from "@glia-os/abi/errors";
import { CELLS_MAX } from "@glia-os/cells";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { AGENT, guestOf, ReplicaHost } from "./replica-host.ts";

/** Answers each message with a sum over it, the time, randomness, and all before. */
const SUMS = `import { now, random, receive, reply } from "@glia-os/guest-as/assembly";
export function glia_main(): i32 {
  const kept = new Uint8Array(70000);
  let sum: u64 = 7;
  let n = -1;
  while (true) {
    n++;
    const asked = receive();
    sum = (sum ^ <u64>asked[0] ^ load<u64>(random(8).dataStart) ^ <u64>now()) * 0x9e3779b97f4a7c15;
    kept[(n * 5003) % kept.length] = <u8>sum;
    const said = new Uint8Array(16);
    store<u64>(said.dataStart, n + 1);
    let all: u64 = sum;
    for (let i = 0; i < kept.length; i += 997) all = all * 31 + kept[i];
    store<u64>(said.dataStart + 8, all);
    reply(said);
  }
}`;
/** Sleeps 1000 ms, then answers the message that came before with how often it slept. */
const SLEEPER = `import { receive, reply, sleep } from "@glia-os/guest-as/assembly";
export function glia_main(): i32 {
  let n: u8 = 0;
  while (true) {
    n++;
    receive();
    sleep(1000);
    const said = new Uint8Array(1);
    said[0] = n;
    reply(said);
  }
}`;

let sums: Uint8Array;
let sleeper: Uint8Array;
beforeAll(async () => {
  [sums, sleeper] = await Promise.all([guestOf(SUMS), guestOf(SLEEPER)]);
}, 60_000);
const manifestOf = (program: Uint8Array) => ({
  ...{ name: "agent", program, memoryPages: 64 },
  grants: ["glia.v1", "replica/hold"],
});

describe("a copy", () => {
  it("goes on as the agent whose replies left, wherever its log ends and whatever checkpoints it has", async () => {
    const manifest = manifestOf(sums);
    const plan = fc.array(fc.constantFrom("ask", "ask", "ask", "run", "whole", "increment", "time"), {
      minLength: 3,
      maxLength: 25,
    });
    await fc.assert(
      fc.asyncProperty(plan, fc.nat(), fc.nat(), async (steps, seed, cut) => {
        const owner = new ReplicaHost(seed);
        await owner.start(manifest);
        await owner.checkpoint(true);
        const from = owner.entries.length;
        let asked = 0;
        for (const step of steps) {
          if (step === "ask") expect(owner.ask(++asked, Uint8Array.of(asked))).toBe("accepted");
          else if (step === "run") await owner.run();
          else if (step === "time") await owner.pass(cut % 5000);
          else await owner.checkpoint(step === "whole");
        }
        await owner.run();
        const position = from + (cut % (owner.entries.length - from + 1));
        owner.hold(position);
        const seen = owner.replies.length;
        const next = new ReplicaHost(seed + 1);
        await next.adopt(owner.copy(manifest, position));
        next.hold(next.entries.length);
        expect(next.ends).toEqual([]);
        // Everything again, as senders do: what was applied is a duplicate, and what was answered has the same answer.
        const verdicts: string[] = [];
        for (let seq = 1; seq <= asked; seq++) verdicts.push(next.ask(seq, Uint8Array.of(seq)));
        await next.run();
        next.hold(next.entries.length);
        const links = next.gate.links(AGENT);
        const answers = Array.from({ length: asked }, (_, n) =>
          links?.offer("01".repeat(16), n + 1, 0, true),
        );
        const replyOf = (n: number): Uint8Array | undefined => {
          const offer = answers[n];
          return offer?.kind === "duplicate" ? offer.reply : undefined;
        };
        for (const [n, { payload }] of owner.replies.slice(0, seen).entries()) {
          expect(verdicts[n]).toBe("duplicate");
          expect(replyOf(n)).toEqual(payload);
        }
        for (let n = 0; n < asked; n++) expect(replyOf(n)?.[0]).toBe(n + 1);
      }),
      { numRuns: process.env["GLIA_SOAK"] === "1" ? 500 : 12 },
    );
  }, 120_000);

  it("has no reply that leaves before it is held, and every one in order after", async () => {
    const owner = new ReplicaHost(1);
    await owner.start(manifestOf(sums));
    for (let seq = 1; seq <= 3; seq++) owner.ask(seq, Uint8Array.of(seq));
    await owner.run();
    expect(owner.replies).toEqual([]);
    owner.hold(owner.entries.length);
    expect(owner.replies.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it("sleeps for the rest, and not shorter, whether the sleep began before its checkpoint or after", async () => {
    for (const after of [true, false]) {
      const owner = new ReplicaHost(1);
      await owner.start(manifestOf(sleeper));
      if (after) await owner.checkpoint(true);
      owner.ask(1, Uint8Array.of(1));
      await owner.run();
      await owner.pass(200);
      if (!after) await owner.checkpoint(true);
      const next = new ReplicaHost(2);
      await next.pass(owner.nowMs - next.nowMs + 300);
      await next.adopt(owner.copy(manifestOf(sleeper), owner.entries.length));
      const slept = async (ms: number): Promise<number> => {
        await next.pass(ms);
        next.hold(next.entries.length);
        return next.replies.length;
      };
      expect(await slept(499)).toBe(0);
      expect(await slept(1)).toBe(1);
    }
  });

  it("that is suspended stands still until it is resumed, and has its messages then", async () => {
    const owner = new ReplicaHost(1);
    await owner.start(manifestOf(sums));
    await owner.checkpoint(true);
    const pausing = owner.gate.pause(AGENT);
    await owner.run();
    await pausing;
    owner.ask(1, Uint8Array.of(1));
    const next = new ReplicaHost(2);
    await next.adopt(owner.copy(manifestOf(sums), owner.entries.length), true);
    next.hold(next.entries.length);
    expect(next.replies).toEqual([]);
    await next.gate.resume(AGENT);
    await next.run();
    next.hold(next.entries.length);
    expect(next.replies.map(({ seq }) => seq)).toEqual([1]);
  });

  it("that is damaged ends the agent with an error, and leaves nothing behind", async () => {
    const owner = new ReplicaHost(1);
    await owner.start(manifestOf(sums));
    await owner.checkpoint(true);
    const good = owner.copy(manifestOf(sums), owner.entries.length);
    const turned = good.whole.map((part) => part.slice());
    const [first] = turned as [Uint8Array];
    first[100] = (first[100] as number) ^ 1;
    const log = [{ entry: Uint8Array.of(9), atMs: 0 }];
    for (const bad of [
      { ...good, whole: turned },
      { ...good, head: good.head.slice(0, 9) },
      { ...good, log },
    ]) {
      const next = new ReplicaHost(2);
      await next.adopt(bad);
      expect(next.ends).toMatchObject([{ kind: "failed" }]);
      expect(next.gate.size).toBe(0);
      await next.adopt(good);
      expect(next.gate.size).toBe(1);
    }
  });

  it("is as good as before when its node had no room for it", async () => {
    const owner = new ReplicaHost(1);
    await owner.start(manifestOf(sums));
    await owner.checkpoint(true);
    owner.ask(1, Uint8Array.of(1));
    await owner.run();
    const copy = owner.copy(manifestOf(sums), owner.entries.length);
    const next = new ReplicaHost(2);
    const full = Promise.withResolvers<undefined>();
    const arriving = Array.from({ length: CELLS_MAX }, (_, n) =>
      next.gate
        .stage(n.toString(16).padStart(32, "0") as never, copy.meta, () => full.promise)
        .catch(errorCodeOf),
    );
    expect(await next.adopt(copy).catch(errorCodeOf)).toBe("cells.too-many");
    expect(next.ends).toEqual([]);
    full.resolve(undefined);
    expect(new Set(await Promise.all(arriving))).toEqual(new Set(["cells.bad-image"]));
    await next.adopt(copy);
    next.hold(next.entries.length);
    expect(next.ends).toEqual([]);
    expect(next.gate.size).toBe(1);
    expect(next.replies.map(({ seq }) => seq)).toEqual([1]);
  });

  it("is refused for an agent that is granted what is neither a value nor recorded", async () => {
    const host = new ReplicaHost(1);
    const manifest = { ...manifestOf(sums), grants: ["glia.v1", "env", "replica/hold"] };
    expect(await host.start(manifest).catch(errorCodeOf)).toBe("cells.not-replicable");
  });
});
