import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { resultText } from "../src/folders.ts";
import { met } from "../src/met.ts";
import type { BenchResult } from "../src/result.ts";
import { schemaErrors } from "../src/schema.ts";
import { keepingErrors, resultErrors } from "../src/validate.ts";

const text = readFileSync(new URL("../../conformance/vectors/bench-result.json", import.meta.url), "utf8");
const golden = JSON.parse(text) as BenchResult;

type Draft = Record<string, object>;

function changed(change: (draft: Draft) => void): unknown {
  const copy = structuredClone(golden) as unknown as Draft;
  change(copy);
  return copy;
}

const first = (draft: Draft): Record<string, unknown> => (draft["rows"] as Record<string, unknown>[])[0]!;

describe("the golden result", () => {
  it("is good, and is written byte for byte as it stands", () => {
    expect(keepingErrors(golden)).toEqual([]);
    expect(resultText(golden)).toBe(text);
  });

  it("has every value of met, each as its figures say", () => {
    expect(golden.rows.map((row) => row.met)).toEqual([null, true, false, null]);
    expect(golden.rows.map(met)).toEqual([null, true, false, null]);
  });
});

describe("a result is refused when", () => {
  it.each<[string, (draft: Draft) => void, string]>([
    ["a field is missing", (d) => delete d["machine"], "$: machine is missing"],
    ["a field is unknown", (d) => Object.assign(d, { extra: 1 }), "$: extra is not known"],
    [
      "a field of a row is unknown",
      (d) => Object.assign(first(d), { p99: 1 }),
      "$.rows[0]: p99 is not known",
    ],
    [
      "the name is a path",
      (d) => Object.assign(d, { name: "../x" }),
      "$.name: does not match ^[a-z0-9]+(-[a-z0-9]+)*$",
    ],
    ["the date is not one", (d) => Object.assign(d, { date: "yesterday" }), "$.date: does not match"],
    ["the commit is not one", (d) => Object.assign(d, { commit: "HEAD" }), "$.commit: does not match"],
    [
      "steal is text",
      (d) => Object.assign(d["machine"]!, { stealPct: "0" }),
      "$.machine.stealPct: not of type number or null",
    ],
    ["cores are zero", (d) => Object.assign(d["machine"]!, { cores: 0 }), "$.machine.cores: below 1"],
    [
      "calibration lacks a row",
      (d) => Object.assign(d, { calibration: {} }),
      "$.calibration: generatorStepNs is missing",
    ],
    ["there is no row", (d) => Object.assign(d, { rows: [] }), "$.rows: fewer than 1 items"],
    [
      "there is no sample",
      (d) => Object.assign(first(d), { samples: [] }),
      "$.rows[0].samples: fewer than 1 items",
    ],
    [
      "better is a new word",
      (d) => Object.assign(first(d), { better: "faster" }),
      "$.rows[0].better: not one of",
    ],
    ["a figure is negative", (d) => Object.assign(first(d), { glia: -1 }), "$.rows[0].glia: below 0"],
    [
      "a ratio is not a number",
      (d) => Object.assign(first(d), { ratios: { beam: null } }),
      "$.rows[0].ratios.beam: not of type",
    ],
    [
      "two rows have one id",
      (d) => Object.assign(first(d), { id: "latency" }),
      "two rows are called latency",
    ],
    [
      "met is not what the figures say",
      (d) => Object.assign(first(d), { met: true }),
      "spawn-reply: met is true",
    ],
    [
      "glia is not the median",
      (d) => Object.assign(first(d), { glia: 94 }),
      "spawn-reply: glia is not the median",
    ],
    [
      "a peer has no ratio",
      (d) => Object.assign(first(d), { ratios: {} }),
      "spawn-reply: peers and ratios name different",
    ],
  ])("%s", (_title, change, message) => {
    expect(resultErrors(changed(change))[0]).toContain(message);
  });

  it.each([null, 7, "text", []])("it is %j", (value) => {
    expect(resultErrors(value)).toEqual(["$: not of type object"]);
  });
});

describe("a result is not kept when", () => {
  it("more than 10 % of the time was stolen", () => {
    expect(keepingErrors(changed((d) => Object.assign(d["machine"]!, { stealPct: 10 })))).toEqual([]);
    expect(keepingErrors(changed((d) => Object.assign(d["machine"]!, { stealPct: null })))).toEqual([]);
    const stolen = changed((d) => Object.assign(d["machine"]!, { stealPct: 10.01 }));
    expect(resultErrors(stolen)).toEqual([]);
    expect(keepingErrors(stolen)).toEqual(["10.01 % of processor time was stolen"]);
  });

  it("the run was quick", () => {
    expect(keepingErrors(changed((d) => Object.assign(d, { quick: true })))).toEqual(["it is a quick run"]);
  });

  it("a row has fewer than 15 rounds", () => {
    const short = changed((d) => Object.assign(first(d), { samples: [93], glia: 93 }));
    expect(keepingErrors(short)).toEqual(["spawn-reply has 1 rounds, fewer than 15"]);
  });
});

describe("the schema check", () => {
  it("V1: refuses a schema with a keyword it does not know", () => {
    expect(() => schemaErrors({}, { maxProperties: 1 })).toThrow("maxProperties");
    expect(() => schemaErrors({}, { constructor: 1 })).toThrow("constructor");
  });

  it("tells integers, numbers and null apart", () => {
    expect(schemaErrors(1.5, { type: "integer" })).toEqual(["$: not of type integer"]);
    expect(schemaErrors(Number.NaN, { type: "number" })).toEqual(["$: not of type number"]);
    expect(schemaErrors(null, { type: ["number", "null"] })).toEqual([]);
    expect(schemaErrors(null, { type: "object" })).toEqual(["$: not of type object"]);
    expect(schemaErrors([], { type: "object" })).toEqual(["$: not of type object"]);
  });
});
