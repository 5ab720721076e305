/** Shared state: replicas converge, whatever the network does to their changes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noSharedState, SharedState, sharedState } from "../../src/orchestration/shared-state/index.ts";
import { UPDATE_BYTES_MAX, UPDATES_MAX } from "../../src/orchestration/shared-state/shared-state.ts";
import { codeOf } from "./ids.ts";

/** Numbers from 0 to 1 that differ for every call, the same in every run. */
function chances(seed: number): () => number {
  let at = seed >>> 0;
  return () => {
    at = (Math.imul(at, 1_664_525) + 1_013_904_223) >>> 0;
    return at / 0x1_0000_0000;
  };
}
const replica = (seed: number): SharedState => new SharedState(noSharedState(), chances(seed));
const shownOf = (state: SharedState) => ({
  a: state.counter("a").value,
  b: state.counter("b").value,
  m: state.map("m").entries(),
});

type Step =
  | { readonly kind: "add"; readonly at: number; readonly counter: "a" | "b"; readonly amount: number }
  | { readonly kind: "set"; readonly at: number; readonly key: string; readonly value: number }
  | { readonly kind: "delete"; readonly at: number; readonly key: string }
  | {
      readonly kind: "sync";
      readonly at: number;
      readonly to: number;
      readonly lost: boolean;
      readonly twice: boolean;
    };

const REPLICAS = 4;
const at = fc.nat(REPLICAS - 1);
const key = fc.constantFrom("x", "y", "z");
const stepOf: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("add" as const),
    at,
    counter: fc.constantFrom("a" as const, "b" as const),
    amount: fc.integer({ min: -50, max: 50 }),
  }),
  fc.record({ kind: fc.constant("set" as const), at, key, value: fc.nat(99) }),
  fc.record({ kind: fc.constant("delete" as const), at, key }),
  fc.record({ kind: fc.constant("sync" as const), at, to: at, lost: fc.boolean(), twice: fc.boolean() }),
);

describe("a shared state", () => {
  it("SS1 and SS2: replicas converge under loss, doubling and reordering, and counters lose nothing", () => {
    let runs = 0;
    fc.assert(
      fc.property(fc.array(stepOf, { maxLength: 60 }), fc.integer(), (steps, seed) => {
        runs++;
        const replicas = Array.from({ length: REPLICAS }, (_, n) => replica(seed + n * 7919));
        const sums = { a: 0, b: 0 };
        const inFlight: { to: number; bytes: Uint8Array }[] = [];
        for (const [n, state] of replicas.entries())
          state.onOwnChange((bytes) => inFlight.push({ to: (n + 1) % REPLICAS, bytes }));
        for (const step of steps) {
          const state = replicas[step.at] as SharedState;
          if (step.kind === "add") {
            state.counter(step.counter).add(step.amount);
            sums[step.counter] += step.amount;
          } else if (step.kind === "set") state.map("m").set(step.key, step.value);
          else if (step.kind === "delete") state.map("m").delete(step.key);
          else if (inFlight.length > 0) {
            // Any message, not the oldest: changes overtake each other; lost and doubled as the step says.
            const picked = inFlight.splice((step.to * 7) % inFlight.length, 1)[0];
            for (let times = step.lost ? 0 : step.twice ? 2 : 1; times > 0; times--)
              (replicas[picked?.to ?? 0] as SharedState).apply(picked?.bytes as Uint8Array);
          }
        }
        for (let round = 0; round < 2; round++)
          for (const one of replicas)
            for (const other of replicas) {
              const changes = one.changesFor(other.known());
              if (changes !== undefined) other.apply(changes);
            }
        const shown = replicas.map(shownOf);
        for (const one of shown) expect(one).toEqual(shown[0]);
        expect(shown[0]).toMatchObject(sums);
        for (const one of replicas)
          for (const other of replicas) expect(one.changesFor(other.known())).toBeUndefined();
      }),
      { numRuns: 150 },
    );
    console.log(`shared state: ${runs} programs of up to 60 steps over ${REPLICAS} replicas`);
  });

  it("SS2: a value that was set while another replica removed the key stays", () => {
    for (let seed = 0; seed < 20; seed++) {
      const [one, other] = [replica(seed), replica(seed + 100)];
      one.map("m").set("x", 1);
      other.apply(one.save());
      one.map("m").set("x", 2);
      other.map("m").delete("x");
      const [changes, removal] = [one.save(), other.save()];
      other.apply(changes);
      one.apply(removal);
      expect([one.map("m").get("x"), other.map("m").get("x")]).toEqual([2, 2]);
    }
  });

  it("SS3: a replica that comes back with an old state goes on without contradicting what it said before", () => {
    const plain = noSharedState();
    const first = new SharedState(plain, chances(1));
    first.counter("a").add(5);
    const old = structuredClone(plain);
    const peer = replica(2);
    first.counter("a").add(10);
    first.map("m").set("k", "new");
    peer.apply(first.save());
    const back = new SharedState(old, chances(3));
    expect(back.counter("a").value).toBe(5);
    back.counter("a").add(100);
    back.map("m").set("j", true);
    peer.apply(back.save());
    back.apply(peer.save());
    expect(shownOf(back)).toEqual(shownOf(peer));
    expect(peer.counter("a").value).toBe(115);
    expect(peer.map("m").entries()).toEqual([
      ["j", true],
      ["k", "new"],
    ]);
  });

  it("SS3: the plain form holds everything, put together now and then, and is opened once", () => {
    const plain = noSharedState();
    const state = sharedState(plain, chances(1));
    expect(sharedState(plain, chances(2))).toBe(state);
    for (let n = 0; n < 3 * UPDATES_MAX; n++) state.counter("a").add(1);
    expect(plain.updates.length).toBeLessThanOrEqual(UPDATES_MAX);
    expect(new SharedState(structuredClone(plain), chances(3)).counter("a").value).toBe(3 * UPDATES_MAX);
  });

  it("SS4: refuses bytes that are no change, changes nothing by them, and goes on", () => {
    const state = replica(1);
    state.map("m").set("x", [1, { deep: Uint8Array.of(1, 2) }]);
    state.counter("a").add(3);
    const whole = state.save();
    const before = shownOf(state);
    const other = replica(2);
    for (let length = 0; length < whole.length; length++)
      expect(
        codeOf(() => other.apply(whole.slice(0, length))),
        `${length} bytes`,
      ).toBe("orchestration.bad-update");
    expect(shownOf(other)).toEqual({ a: 0, b: 0, m: [] });
    for (const rubbish of [
      "text",
      null,
      undefined,
      [1],
      {},
      new Uint8Array(0),
      Uint8Array.of(255, 255, 255, 255, 255, 255, 15),
    ]) {
      expect(codeOf(() => state.apply(rubbish as Uint8Array))).toBe("orchestration.bad-update");
      expect(codeOf(() => state.changesFor(rubbish as Uint8Array))).toBe("orchestration.bad-update");
    }
    expect(codeOf(() => state.apply(new Uint8Array(UPDATE_BYTES_MAX + 1)))).toBe("orchestration.bad-update");
    expect(shownOf(state)).toEqual(before);
    other.apply(whole);
    expect(shownOf(other)).toEqual(before);
  });

  it("SS4: random bytes and flipped bits raise only that refusal", () => {
    const state = replica(1);
    for (let n = 0; n < 5; n++) state.map("m").set(`k${n}`, n);
    const whole = state.save();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(), fc.nat(7), (bytes, at, bit) => {
        const flipped = Uint8Array.from(whole);
        flipped[at % whole.length] = (flipped[at % whole.length] as number) ^ (1 << bit);
        for (const given of [bytes, flipped])
          expect([undefined, "orchestration.bad-update"]).toContain(codeOf(() => replica(9).apply(given)));
      }),
      { numRuns: 300 },
    );
  });

  it("refuses amounts and values that would not be the same everywhere", () => {
    const state = replica(1);
    for (const amount of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
      expect(codeOf(() => state.counter("a").add(amount))).toBe("orchestration.bad-option");
    state.counter("a").add(Number.MAX_SAFE_INTEGER);
    expect(codeOf(() => state.counter("a").add(1))).toBe("orchestration.bad-option");
    let deep: unknown = 1;
    for (let level = 0; level < 40; level++) deep = [deep];
    for (const value of [undefined, Number.NaN, () => 1, 1n, deep])
      expect(codeOf(() => state.map("m").set("x", value as number))).toBe("orchestration.bad-option");
    expect(codeOf(() => state.map("m").set("", 1))).toBe("orchestration.bad-option");
    expect(codeOf(() => state.counter("n".repeat(257)))).toBe("orchestration.bad-option");
  });
});
