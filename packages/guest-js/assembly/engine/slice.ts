/**
 * When the interpreter stops to let others run.
 *
 * SL1. QuickJS counts backward jumps and calls down, and calls its interrupt handler at zero, after it has set the count to
 *      {@link LONG} again. Where each of them calls a built-in function, that many take ten milliseconds. So the handler sets the
 *      count to {@link SHORT}, and stops only when the clock shows another millisecond than when the slice began.
 * SL2. On a clock that stands still it stops after {@link LONG} jumps and calls all the same.
 * SL3. The count is a field of QuickJS's context, at a place that belongs to version 3.6.2 of quickjs-wasi. It is written only while
 *      it holds exactly what was just put there; in an engine where it lies elsewhere, slices stay long.
 */
import * as glia from "./glia";
import * as qjs from "./qjs";

/** `JS_INTERRUPT_COUNTER_INIT` of quickjs-ng. */
const LONG: i32 = 10_000;
/** Some 40 microseconds of a tight loop, and half a millisecond where most of the time goes to built-in functions. */
const SHORT: i32 = 500;
/** Where `interrupt_counter` lies in `JSContext`. */
const COUNT_OFFSET: usize = 292;

let beganMs: i64 = 0;
let counted: i32 = 0;

/** A slice begins. */
function begin(): void {
  beganMs = glia.now();
  counted = 0;
}

/** Called by the interrupt handler: goes on with the slice, or lets others run before the next one. */
export function interrupted(): void {
  const count = qjs.contextPointer() + COUNT_OFFSET;
  const shortened = load<i32>(count) == LONG;
  if (shortened) store<i32>(count, SHORT);
  counted += shortened ? SHORT : LONG;
  if (counted < LONG && glia.now() == beganMs) return;
  glia.yieldNow();
  begin();
}
