/** What membership costs per message and at rest: no pass over the table, no news repeated to those who have it, no timer without work. */
import type { NodeId } from "@glia-os/abi/ids";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Certificate } from "../src/admission/certificate.ts";
import type { NodeRole } from "../src/index.ts";
import { BroadcastQueue, SKIPS_MAX } from "../src/membership/broadcast-queue.ts";
import { MemberTable } from "../src/membership/member-table.ts";
import { Tally } from "../src/membership/quorum.ts";
import { LoneMember } from "./lone-member.ts";

const nodeOf = (n: number): NodeId => n.toString(16).padStart(64, "0") as NodeId;
const bytes = new Uint8Array(50);

function put(table: MemberTable, n: number, incarnation: number, role: NodeRole, left: boolean): void {
  const certificate = { node: nodeOf(n), nodeKey: bytes, role, issuedMs: 0, expiresMs: 1 } as Certificate;
  const record = { name: "m", address: { host: "h", port: 1 }, bootEpoch: 1, incarnation, left };
  table.put(certificate, record, bytes, 0);
}

describe("the table", () => {
  it("MT7: after any changes the live rows, the gone rows and the counts are what a pass over the table would find", () => {
    const change = fc.record({
      n: fc.nat(12),
      what: fc.constantFrom("put", "left", "suspect", "dead", "forget"),
      role: fc.constantFrom<NodeRole>("edge", "core", "relay"),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const table = new MemberTable();
        for (const [at, { n, what, role }] of changes.entries()) {
          const entry = table.get(nodeOf(n));
          if (what === "put" || what === "left") put(table, n, at, role, what === "left");
          else if (what === "forget") table.forget(nodeOf(n));
          else if (entry !== undefined) table.accuse(entry, what as "suspect" | "dead", bytes, at);
        }
        const names = (rows: readonly { readonly node: NodeId }[]): NodeId[] =>
          rows.map(({ node }) => node).sort();
        const runs = (state: string): boolean => state === "alive" || state === "suspect";
        const tally = new Tally();
        for (const { certificate, state } of table.all()) tally.count(certificate.role, state);
        expect(names(table.live())).toEqual(names(table.all().filter(({ state }) => runs(state))));
        expect(names(table.gone())).toEqual(names(table.all().filter(({ state }) => !runs(state))));
        for (const row of [...table.live(), ...table.gone()]) expect(row).toBe(table.get(row.node));
        expect(table.tally).toEqual(tally);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("what is spread", () => {
  it("B3: what does not fit keeps its place, and the search for something smaller ends", () => {
    const queue = new BroadcastQueue(4);
    for (let n = 0; n <= SKIPS_MAX; n++) queue.add(`large ${n}`, new Uint8Array(400));
    queue.add("small", new Uint8Array(60));
    expect(queue.take(300, 5)).toEqual([]);
    expect(queue.take(410, 5).map(({ length }) => length)).toEqual([400]);
    const few = new BroadcastQueue(4);
    for (let n = 0; n < SKIPS_MAX; n++) few.add(`large ${n}`, new Uint8Array(400));
    few.add("small", new Uint8Array(60));
    expect(few.take(300, 5).map(({ length }) => length)).toEqual([60]);
  });

  it("B4: a statement heard as often as it would be sent is not sent; another one of the same subject does not count", () => {
    const queue = new BroadcastQueue(4);
    queue.add(
      "a",
      Uint8Array.from({ length: 50 }, () => 1),
    );
    for (let n = 0; n < 3; n++)
      queue.heard(
        "a",
        Uint8Array.from({ length: 50 }, () => 1),
        5,
      );
    for (let n = 0; n < 9; n++)
      queue.heard(
        "a",
        Uint8Array.from({ length: 50 }, () => 2),
        5,
      );
    for (let n = 0; n < 9; n++)
      queue.heard(
        "b",
        Uint8Array.from({ length: 50 }, () => 1),
        5,
      );
    expect(queue.take(500, 5)).toHaveLength(1);
    expect(queue.take(500, 5)).toHaveLength(0);
    queue.add("a", bytes);
    for (let n = 0; n < 4; n++) queue.heard("a", bytes, 5);
    expect(queue.size).toBe(0);
  });

  it("it begins again when there is news after a rest", () => {
    let begun = 0;
    const queue = new BroadcastQueue(1, () => void begun++);
    queue.add("a", bytes);
    queue.add("a", bytes);
    queue.take(500, 1);
    queue.add("b", bytes);
    expect(begun).toBe(3);
  });
});

it("a member gossips nothing at rest, and begins again with the next news", async () => {
  const lone = new LoneMember();
  const gossips = (): number => lone.said.filter(({ envelope }) => envelope.kind === "gossip").length;
  lone.meet(1);
  await lone.time.advance(60_000);
  const before = gossips();
  await lone.time.advance(60_000);
  expect([before > 0, gossips() - before]).toEqual([true, 0]);
  lone.meet(2);
  await lone.time.advance(1000);
  expect(gossips()).toBeGreaterThan(before);
});
