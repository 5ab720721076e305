/** A guest that never calls the host: it gives way, can be moved in the middle of its loop, and harms no other. */
import { instrument } from "@glia-os/wasm/pipeline";
import { expect, test } from "vitest";
import { AGENT, EPOCH, HostUnderTest, manifestOf, message, move } from "./host-under-test.ts";

/** Times the loop goes round: some hundred slices. */
const TURNS = 0x7fff_ffff;

/**
 * `(func (export "glia_main") (result i32) (local i32) (loop (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) TURNS))) (local.get 0))`
 */
const COUNTING = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x07, 0x0d, 0x01, 0x09, ...Buffer.from("glia_main"), 0x00, 0x00],
  ...[0x0a, 0x1b, 0x01, 0x19, 0x01, 0x01, 0x7f, 0x03, 0x40, 0x20, 0x00, 0x41, 0x01, 0x6a, 0x22, 0x00],
  ...[0x41, 0xff, 0xff, 0xff, 0xff, 0x07, 0x49, 0x0d, 0x00, 0x0b, 0x20, 0x00, 0x0b],
]);

test("a guest in a long loop gives way, and moves in the middle of the loop with the same result", async () => {
  const { bytes } = await instrument(COUNTING, { profile: "preemptive" });
  const manifest = { ...manifestOf("echo"), name: "counting", program: bytes, grants: [] };
  const [a, b] = [new HostUnderTest(undefined, 1), new HostUnderTest(undefined, 1)];
  await a.settle(a.gate.start(AGENT, EPOCH(1), manifest));
  const echo = "cd".repeat(16) as typeof AGENT;
  await a.settle(a.gate.start(echo, EPOCH(1), manifestOf("echo")));
  const hello = message(1, new TextEncoder().encode("hello"), { agent: echo, ask: true });
  expect(a.gate.deliver(hello).kind).toBe("accepted");
  await a.run();
  expect(a.replies).toEqual([{ seq: 1, payload: new TextEncoder().encode("hello") }]);
  expect(a.ends).toEqual([]);
  await move(a, b, EPOCH(2));
  expect(b.ends).toEqual([]);
  for (let left = 400; left > 0 && b.ends.length === 0; left--) await b.run();
  expect(b.ends).toEqual([{ epoch: 2, end: { kind: "finished", status: TURNS } }]);
  expect(a.ends).toEqual([]);
});
