/** Values and envelopes: what goes over, what is refused, and that nothing but a typed refusal comes of rubbish. */
import { readFileSync } from "node:fs";
import { errorCodeOf } from "@glia-os/abi/errors";
import { type AgentEnvelope, decodeEnvelope, ENVELOPE_KINDS, encodeEnvelope } from "@glia-os/cells/agent";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { passable } from "../../src/agent/plain-value.ts";

const runs = process.env["GLIA_SOAK"] === "1" ? 20_000 : 300;

const leaf = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (Object.is(number, -0) ? 0 : number)),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array({ maxLength: 40 }),
);
const key = fc
  .oneof(fc.constantFrom("$bytes", "$plain", "a"), fc.string())
  .filter((one) => one !== "__proto__");
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    leaf,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

function envelopeOf(input: unknown): AgentEnvelope {
  return { kind: "tell", from: { id: "0".repeat(32), name: "desk" }, correlation: 0, message: "go", input };
}

test("every plain value comes out of the text as it went in, bytes and tagged objects included", () => {
  fc.assert(
    fc.property(value, (input) => {
      expect(decodeEnvelope(encodeEnvelope(envelopeOf(input)))).toEqual(envelopeOf(input));
    }),
    { numRuns: runs },
  );
});

test("a priority of tells and asks comes out of the text as it went in, and stands at its beginning", () => {
  for (const priority of ["high", "low"] as const) {
    const text = encodeEnvelope({ ...envelopeOf(1), priority });
    expect(text.startsWith(`{"priority":"${priority}",`)).toBe(true);
    expect(decodeEnvelope(text)).toEqual({ ...envelopeOf(1), priority });
  }
  expect(encodeEnvelope(envelopeOf(1))).not.toContain("priority");
});

test("in one thread a value is passed as the text would have passed it", () => {
  fc.assert(
    fc.property(value, (input) => {
      expect(passable(input)).toEqual(decodeEnvelope(encodeEnvelope(envelopeOf(input))).input);
    }),
    { numRuns: runs },
  );
});

test("what is not frozen is copied, what is frozen all through is shared", () => {
  const frozen = Object.freeze({ list: Object.freeze([1, 2]) });
  expect(passable(frozen)).toBe(frozen);
  const shallow = Object.freeze({ list: [1, 2] });
  expect(passable(shallow)).not.toBe(shallow);
  expect(passable({ gone: undefined, list: [undefined] })).toEqual({ list: [null] });
});

class Money {
  amount = 1;
}
const circle: unknown[] = [];
circle.push(circle);
const proto = JSON.parse('{"__proto__":1}') as unknown;

describe("a value is refused:", () => {
  const values: readonly (readonly [string, unknown])[] = [
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["a big integer", 1n],
    ["not a number", { a: [Number.NaN] }],
    ["an infinity", Number.POSITIVE_INFINITY],
    ["a date", new Date(0)],
    ["a map", new Map()],
    ["an object of a class", { money: new Money() }],
    ["a circle", circle],
    ["a prototype in disguise", proto],
  ];
  test.each(values)("%s", (_, refused) => {
    const notPlain = expect.objectContaining({ code: "agent.value-not-plain" });
    expect(() => passable(refused)).toThrow(notPlain);
    expect(() => encodeEnvelope(envelopeOf(refused))).toThrow(notPlain);
  });
});

test("64 levels pass and 65 do not", () => {
  const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
  expect(decodeEnvelope(encodeEnvelope(envelopeOf(nested(64)))).input).toEqual(nested(64));
  expect(() => passable(nested(65))).toThrow(expect.objectContaining({ code: "agent.value-not-plain" }));
  const text = encodeEnvelope(envelopeOf("x")).replace('"x"', `${"[".repeat(65)}${"]".repeat(65)}`);
  expect(() => decodeEnvelope(text)).toThrow(expect.objectContaining({ code: "agent.bad-envelope" }));
});

test("an envelope that is too large is refused on both sides", () => {
  const large = "x".repeat(16 * 1024 * 1024);
  expect(() => encodeEnvelope(envelopeOf(large))).toThrow(
    expect.objectContaining({ code: "agent.value-not-plain" }),
  );
  expect(() => decodeEnvelope(large)).toThrow(expect.objectContaining({ code: "agent.bad-envelope" }));
});

test("rubbish is refused with a typed error, and nothing else comes of it", () => {
  const text = encodeEnvelope({ ...envelopeOf({ $bytes: "AA==" }), kind: "ask", correlation: 7 });
  const damaged = fc
    .tuple(fc.nat(text.length), fc.nat(4), fc.string({ unit: "binary", maxLength: 3 }))
    .map(([at, drop, put]) => text.slice(0, at) + put + text.slice(at + drop));
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), damaged), (rubbish) => {
      try {
        const envelope = decodeEnvelope(rubbish);
        expect(ENVELOPE_KINDS).toContain(envelope.kind);
      } catch (error) {
        expect(errorCodeOf(error)).toBe("agent.bad-envelope");
      }
    }),
    { numRuns: runs },
  );
});

interface Vectors {
  readonly valid: readonly {
    readonly text: string;
    readonly envelope: AgentEnvelope;
    readonly bytes?: readonly number[];
  }[];
  readonly invalid: readonly { readonly text: string; readonly why: string }[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../../../../conformance/vectors/agent-message.json", import.meta.url), "utf8"),
) as Vectors;

describe("the vectors of the specification", () => {
  test.each(vectors.valid.map((one) => [one.text, one] as const))("%s", (text, { envelope, bytes }) => {
    const input = bytes === undefined ? envelope.input : Uint8Array.from(bytes);
    const expected = { ...envelope, from: envelope.from, input };
    expect(decodeEnvelope(text)).toEqual(expected);
    expect(encodeEnvelope(expected)).toBe(text);
  });
  test.each(vectors.invalid.map((one) => [one.why, one.text] as const))("refused: %s", (_, text) => {
    expect(() => decodeEnvelope(text)).toThrow(expect.objectContaining({ code: "agent.bad-envelope" }));
  });
});
