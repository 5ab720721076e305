import { GliaError } from "@glia-os/abi/errors";
import {
  type AgentManifest,
  checkManifest,
  decodeManifest,
  encodeManifest,
  PROGRAM_BYTES_MAX,
  TRANSITIONS,
  transition,
} from "@glia-os/cells";
import fc from "fast-check";
import { expect, test } from "vitest";
import { AGENT } from "./host-under-test.ts";

const good: AgentManifest = {
  name: "words",
  program: new Uint8Array([0, 97, 115, 109]),
  grants: ["glia.v1"],
  memoryPages: 16,
};

test("AM1: a manifest reads back as it was written", () => {
  expect(decodeManifest(encodeManifest(good))).toEqual(good);
});

test.each<[string, Partial<AgentManifest>]>([
  ["name", { name: "" }],
  ["name", { name: "Capital" }],
  ["name", { name: "x".repeat(65) }],
  ["program", { program: new Uint8Array(0) }],
  ["program", { program: new Uint8Array(PROGRAM_BYTES_MAX + 1) }],
  ["grants", { grants: Array.from({ length: 17 }, (_, i) => `g${i}`) }],
  ["grants", { grants: ["not a module"] }],
  ["memory", { memoryPages: 0 }],
  ["memory", { memoryPages: 1.5 }],
  ["memory", { memoryPages: 40_000 }],
])("AM1: a bad %s is refused by name", (field, change) => {
  expect(() => checkManifest({ ...good, ...change })).toThrowError(
    expect.objectContaining({ code: "cells.bad-manifest", details: { field } }),
  );
});

test("AM1: any bytes are a manifest or a typed refusal", () => {
  const written = encodeManifest(good);
  const changed = fc
    .tuple(fc.nat(written.length - 1), fc.nat(255))
    .map(([at, value]) => written.map((byte, index) => (index === at ? value : byte)));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), changed), (bytes) => {
      try {
        checkManifest(decodeManifest(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(GliaError);
      }
    }),
  );
});

test("CS1: exactly the steps of the lifecycle table are allowed", () => {
  const states = Object.keys(TRANSITIONS) as (keyof typeof TRANSITIONS)[];
  for (const from of states) {
    for (const to of states) {
      const step = (): unknown => transition(AGENT, from, to);
      if (TRANSITIONS[from].includes(to)) expect(step()).toBe(to);
      else expect(step).toThrowError(expect.objectContaining({ code: "cells.illegal-transition" }));
    }
  }
});
