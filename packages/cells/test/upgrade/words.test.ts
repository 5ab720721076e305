/** What guests and nodes say to each other in an exchange, and rubbish in its place. */
import { STATE_PARTS_MAX } from "@glia-os/cells";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readHandOver, readTakeOver } from "../../src/upgrade/upgrade-words.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const head = '"name":"a","version":1';

test("UW1: the bytes behind the line are the guest's own, whatever they are", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (own) => {
      const line = bytes(`{"parts":3,${head}}\n`);
      const said = readHandOver(Uint8Array.of(...line, ...own));
      expect(said).toEqual({ kind: "part", parts: 3, code: { name: "a", version: 1 }, bytes: own });
    }),
  );
});

test("UW2: what does not have the form is a refusal", () => {
  const handOver = [
    "",
    "{",
    "[]",
    "null",
    "{}",
    `{"parts":0,${head}}`,
    `{"parts":${STATE_PARTS_MAX + 1},${head}}`,
    `{"parts":1.5,${head}}`,
    '{"parts":1,"name":"","version":1}',
    `{"parts":1,"name":"${"a".repeat(65)}","version":1}`,
    '{"parts":1,"name":"a","version":0}',
    `{"parts":1,${head},"more":"${"x".repeat(70_000)}"}`,
  ];
  for (const text of handOver)
    expect([text.slice(0, 60), readHandOver(bytes(text)).kind]).toEqual([text.slice(0, 60), "refused"]);
  for (const text of ["", "{}", `{"taken":1,${head}}`, '{"taken":true}', '{"more":false}'])
    expect([text, readTakeOver(bytes(text)).kind]).toEqual([text, "refused"]);
  fc.assert(fc.property(fc.uint8Array(), (any) => void [readHandOver(any), readTakeOver(any)]));
});

test("a refusal says why, with the code of its error, cut to a length", () => {
  const error = { code: "agent.bad-state", message: "m".repeat(5000) };
  const said = readTakeOver(bytes(JSON.stringify({ error })));
  expect(said).toMatchObject({ kind: "refused", code: "agent.bad-state", why: "m".repeat(1000) });
  expect(readTakeOver(bytes('{"error":null}'))).toMatchObject({
    kind: "refused",
    why: "it does not say why",
  });
});
