/** Programs that a thread borrows for guests that arrive by post-copy (BP1, BP2). */
import { createHash } from "node:crypto";
import { beforeAll, expect, it } from "vitest";
import {
  borrowed,
  createWasmEngine,
  type LentProgram,
  NotInstrumentedError,
  PostCopySource,
  PostCopyTarget,
  type WasmProgram,
} from "../src/index.ts";
import { guest, RecordingHost } from "./guest.ts";

/** Adds what it is sent to a number in its memory, and says the sum. */
const SUMS = `(module
  (import "glia.v1" "receive" (func $receive (param i32 i32) (result i32)))
  (import "glia.v1" "reply" (func $reply (param i32 i32) (result i32)))
  (memory 2)
  (func (export "glia_main") (result i32)
    (loop $again
      (drop (call $receive (i32.const 70000) (i32.const 4)))
      (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.load (i32.const 70000))))
      (drop (call $reply (i32.const 8) (i32.const 4)))
      (br $again))
    (i32.const 0)))`;

const number = (value: number): Uint8Array => new Uint8Array(Int32Array.of(value).buffer);
const sent = (value: number) => ({ value: 4, payload: number(value) });
let bytes: Uint8Array;
let program: WasmProgram;
beforeAll(async () => {
  bytes = await guest(SUMS);
  program = await createWasmEngine().admit(bytes, ["glia.v1"]);
});

it("BP2: forms are made by the first that borrows, and are everybody's when they are given back", async () => {
  const first = program.lend();
  expect(first.form).toEqual(bytes);
  const { made } = await borrowed(structuredClone(first));
  const presence = await program.presence(made);
  expect([presence.checked.module, presence.plain.module]).toEqual([made.checked, made.plain]);
  const second = program.lend();
  expect(second.form).toBe(made);
  expect((await borrowed(second)).made).toBe(made);
});

it("BP1: a guest arrives in a program that was lent as in one that was admitted", async () => {
  const host = new RecordingHost();
  const source = program.instantiate({}, host);
  source.step();
  source.step(sent(40));
  const sending = new PostCopySource(source);
  const target = new PostCopyTarget(program, {}, (answer) => sending.answered(answer));
  for (const piece of sending.handOver()) target.push(piece);
  for (let piece = sending.next(); piece !== undefined; piece = sending.next()) target.push(piece);
  const there = (await borrowed(program.lend())).arrive(target.take(), {}, host);
  there.step(sent(2));
  expect(host.replies.at(-1)).toEqual(number(42));
});

it("a program that cannot be suspended is refused", async () => {
  const { shape, ...lent } = program.lend() as LentProgram & { readonly form: Uint8Array };
  const none: LentProgram = {
    ...lent,
    form: bytes,
    shape: { ...shape, profile: { ...shape.profile, profile: "none" } },
  };
  await expect(borrowed(none)).rejects.toThrow(NotInstrumentedError);
});

it("what was given to an engine stays as it was, also when it is a view of something else", async () => {
  const hash = (): string => createHash("sha256").update(bytes).digest("hex");
  const before = hash();
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const own = await createWasmEngine().admit(buffer, ["glia.v1"]);
  await own.presence();
  await own.tracking("shared");
  expect(hash()).toBe(before);
});
