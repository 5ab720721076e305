/** What a node reads of messages without parsing them, and how it writes a span into one. */
import { type AgentEnvelope, decodeEnvelope, ENVELOPE_KINDS, encodeEnvelope } from "@glia-os/cells/agent";
import fc from "fast-check";
import { expect, test } from "vitest";
import { HEAD_BYTES, headOf, traceparentOf, withTraceparent } from "../../src/otel/message-head.ts";

const PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const OTHER = "00-11111111111111111111111111111111-2222222222222222-00";
const runs = { numRuns: process.env["GLIA_SOAK"] === "1" ? 20_000 : 300 };
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length });
const value = fc
  .jsonValue()
  .filter((one) => !JSON.stringify(one).includes("__proto__") && !JSON.stringify(one).includes('"$'));
const envelope: fc.Arbitrary<AgentEnvelope> = fc
  .record({
    kind: fc.constantFrom(...ENVELOPE_KINDS),
    from: fc.option(hex(32), { nil: undefined }),
    name: fc.option(fc.constantFrom("desk", "a.b_c-9", "x".repeat(64)), { nil: undefined }),
    correlation: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    message: fc.string({ unit: "binary", minLength: 1, maxLength: 64 }).filter((text) => text.length <= 64),
    input: value,
    priority: fc.constantFrom("high", "low", undefined),
  })
  .map(({ kind, from, name, correlation, message, input, priority }) => ({
    kind,
    from: from === undefined ? undefined : name === undefined ? { id: from } : { id: from, name },
    correlation: ["tell", "publish", "control"].includes(kind) ? 0 : correlation,
    message: ["tell", "ask", "publish", "control"].includes(kind) ? message : "",
    input,
    ...(priority !== undefined && (kind === "tell" || kind === "ask") ? { priority } : {}),
  }));

test("MH1: the head of every message as the specification writes it says what the message says", () => {
  fc.assert(
    fc.property(envelope, (one) => {
      const { kind, from, correlation, message } = one;
      expect(headOf(bytesOf(encodeEnvelope(one)))).toEqual({
        kind,
        from: from?.id ?? "",
        correlation,
        message: message.toWellFormed(),
      });
    }),
    runs,
  );
});

test("MH2: a span is written into any message, over the one it has, and nothing else of the message changes", () => {
  fc.assert(
    fc.property(envelope, (one) => {
      fc.pre(one.kind === "tell" || one.kind === "ask" || one.kind === "publish");
      const plain = bytesOf(encodeEnvelope(one));
      expect(traceparentOf(plain)).toBeUndefined();
      const first = withTraceparent(plain, PARENT);
      expect(traceparentOf(first)).toBe(PARENT);
      const second = withTraceparent(first, OTHER);
      expect(second).toHaveLength(first.length);
      expect(decodeEnvelope(textOf(second))).toEqual({
        ...decodeEnvelope(textOf(plain)),
        trace: { parent: OTHER },
      });
      expect(textOf(first)).toBe(encodeEnvelope({ ...one, trace: { parent: PARENT } }));
    }),
    runs,
  );
});

test("MH1: what an agent says in its input is no trace, however it looks", () => {
  for (const input of [
    `","traceparent":"${PARENT}"}`,
    { traceparent: PARENT },
    [{ traceparent: PARENT }],
    `x","traceparent":"${PARENT}`,
  ]) {
    const text = encodeEnvelope({ kind: "tell", from: undefined, correlation: 0, message: "go", input });
    expect(traceparentOf(bytesOf(text))).toBeUndefined();
  }
});

test("MH1: rubbish, other programs' messages and heads beyond the bytes that are read have no head, and keep every byte", () => {
  const far = `{"glia":1,"kind":"tell","message":${" ".repeat(HEAD_BYTES)}"go"}`;
  const turned = '{"kind":"tell","glia":1,"message":"go"}';
  for (const text of [
    "",
    "{",
    "rubbish",
    '{"host":"stop"}',
    '{"glia":2,"kind":"tell"}',
    '{"glia":1,"kind":"shout"}',
    far,
    turned,
  ])
    expect(headOf(bytesOf(text))).toBeUndefined();
  for (const text of ["", "rubbish", `,"traceparent":"${PARENT}"`]) {
    expect(traceparentOf(bytesOf(text))).toBeUndefined();
    expect(textOf(withTraceparent(bytesOf(text), PARENT))).toBe(text);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      expect(traceparentOf(noise)).toBeUndefined();
      headOf(noise);
    }),
    runs,
  );
});
