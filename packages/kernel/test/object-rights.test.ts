import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import type { Handle, Sys } from "@glia-os/kernel";
import { expect, test } from "vitest";
import { Channel } from "../src/channel/channel.ts";
import { BadgedEndpoint, Endpoint } from "../src/endpoint/endpoint.ts";
import { CapabilityTable, generationOf, Task } from "../src/internal.ts";
import { Region } from "../src/region/region.ts";
import { codeOf, resultOf } from "./run.ts";

/** Every kind of object, made fresh. */
const MAKERS = {
  mailbox: (sys: Sys) => sys.mailbox(),
  notification: (sys: Sys) => sys.notification(),
  channel: (sys: Sys) => sys.channel(4),
  endpoint: (sys: Sys) => sys.endpoint(),
  "badged endpoint": (sys: Sys) => sys.badge(sys.endpoint(), 1),
  "leased mailbox": (sys: Sys) => sys.mailbox({ leases: {} }),
  region: (sys: Sys) => sys.region(8),
} as const;

type Kind = keyof typeof MAKERS;

interface Probe {
  readonly right: Rights;
  readonly on: readonly Kind[];
  attempt(sys: Sys, handle: Handle): unknown;
}

const every = Object.keys(MAKERS) as Kind[];

/** Every call on a handle that does not wait, the right it needs, and the kinds it works on. */
const PROBES: Readonly<Record<string, Probe>> = {
  tryReceive: {
    right: RIGHTS.receive,
    on: ["mailbox", "channel", "endpoint"],
    attempt: (sys, handle) => sys.tryReceive(handle),
  },
  trySend: {
    right: RIGHTS.send,
    on: ["mailbox", "channel", "endpoint", "badged endpoint", "leased mailbox"],
    attempt: (sys, handle) => sys.trySend(handle, 1),
  },
  signal: { right: RIGHTS.signal, on: ["notification"], attempt: (sys, handle) => sys.signal(handle) },
  readRegion: { right: RIGHTS.read, on: ["region"], attempt: (sys, handle) => sys.readRegion(handle, 0, 1) },
  writeRegion: {
    right: RIGHTS.write,
    on: ["region"],
    attempt: (sys, handle) => sys.writeRegion(handle, 0, new Uint8Array(1)),
  },
  mapRegion: { right: 0, on: ["region"], attempt: (sys, handle) => sys.mapRegion(handle) },
  badge: { right: 0, on: ["endpoint"], attempt: (sys, handle) => sys.badge(handle, 2) },
  grant: {
    right: RIGHTS.grant,
    on: every,
    attempt: (sys, handle) => sys.grant(sys.getTid(), handle, RIGHTS.send),
  },
  close: { right: RIGHTS.revoke, on: ["channel"], attempt: (sys, handle) => sys.close(handle) },
  revoke: { right: RIGHTS.revoke, on: every, attempt: (sys, handle) => sys.revoke(handle) },
};

const BITS = [
  RIGHTS.send,
  RIGHTS.receive,
  RIGHTS.call,
  RIGHTS.signal,
  RIGHTS.grant,
  RIGHTS.revoke,
  RIGHTS.read,
  RIGHTS.write,
];

function expected(kind: Kind, held: Rights, name: string): string {
  const { right, on } = PROBES[name]!;
  // A badged capability never has the right to receive, whatever was asked for.
  const rights = kind === "badged endpoint" ? held & ~RIGHTS.receive : held;
  if ((rights & right) !== right) return "kernel.missing-right";
  if (on.includes(kind)) return "nothing was thrown";
  return name === "badge" && kind === "badged endpoint" ? "kernel.already-badged" : "kernel.wrong-object";
}

for (const kind of every) {
  test(`every call with every set of rights on a ${kind}: allowed exactly when it has the right and works on it`, () => {
    const wrong = resultOf(function* (sys) {
      const wrong: string[] = [];
      for (let set = 0; set < 1 << BITS.length; set++) {
        const rights = BITS.filter((_, bit) => ((set >> bit) & 1) !== 0).reduce((sum, bit) => sum | bit, 0);
        const whole = MAKERS[kind](sys);
        const handle = sys.attenuate(whole, rights);
        for (const [name, { attempt }] of Object.entries(PROBES)) {
          const code = codeOf(() => attempt(sys, handle));
          if (code !== expected(kind, rights, name)) wrong.push(`${name} with ${rights}: ${code}`);
        }
        sys.revoke(whole);
        for (const [name, { attempt }] of Object.entries(PROBES)) {
          const code = codeOf(() => attempt(sys, handle));
          if (code !== "kernel.dead-handle") wrong.push(`${name} after a revocation: ${code}`);
        }
        sys.drop(whole);
      }
      return wrong;
    });
    expect(wrong).toEqual([]);
  });
}

test("C4: brute force on one slot with every kind of object: no handle of any generation is ever valid again", () => {
  const owner = new Task((function* () {})(), 0, 0, "", 0);
  const generations = 600;
  const events = { lost: () => {}, orphaned: () => {}, taskAt: () => owner };
  const table = new CapabilityTable(1, events, generations, 1);
  const makers = [
    () => new Channel(1),
    () => new Endpoint(),
    () => new BadgedEndpoint(new Endpoint(), 1),
    () => new Region(1),
  ];
  const seen: number[] = [];
  for (let i = 0; i < generations; i++) {
    const handle = table.mint(owner, makers[i % makers.length]!(), ~0);
    expect(generationOf(handle)).toBe(i + 1);
    for (const old of seen) if (table.find(old, owner, 0) !== null) throw new RangeError(`${old} came back`);
    seen.push(handle);
    table.drop(handle);
  }
  // The slot is used up: the next handle lies in another one.
  const next = table.mint(owner, new Channel(1), ~0);
  expect(seen).not.toContain(next);
  for (const old of seen) expect(table.find(old, owner, 0)).toBeNull();
});
