/** Where in a program something happened. */

/** How many frames an error keeps; an engine without this property keeps what it likes. */
const V8_ERROR = Error as unknown as { stackTraceLimit: number };
const STACK_FRAMES = 50;
/** Frames of the kernel, of this package and of the engine. */
const OWN_FRAME = /[\\/](?:kernel|durable|hal)[\\/](?:src|dist)[\\/]|\(<anonymous>\)|node:internal/;

/** Lines of the stack that belong to the program, innermost first. */
export function sourceFrames(): readonly string[] {
  const limit = V8_ERROR.stackTraceLimit;
  V8_ERROR.stackTraceLimit = STACK_FRAMES;
  const stack = String(new RangeError().stack);
  V8_ERROR.stackTraceLimit = limit;
  return stack
    .split("\n")
    .slice(1)
    .map((line) => line.trim().replace(/^at /, ""))
    .filter((line) => !OWN_FRAME.test(line));
}
