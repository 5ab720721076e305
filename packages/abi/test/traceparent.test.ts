import { errorCodeOf } from "@glia-os/abi/errors";
import { formatTraceparent, isSpanContext, parseTraceparent } from "@glia-os/abi/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

const hex = (length: number) =>
  fc
    .string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length })
    .filter((text) => !/^0+$/.test(text));
const contexts = fc.record({ traceId: hex(32), spanId: hex(16), traceFlags: fc.integer({ min: 0, max: 3 }) });

describe("traceparent", () => {
  test("the example of the Recommendation reads as it says", () => {
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-01`)).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      traceFlags: 1,
    });
  });

  test("TP1: what is written reads the same", () => {
    fc.assert(
      fc.property(contexts, (context) => {
        expect(isSpanContext(context)).toBe(true);
        expect(parseTraceparent(formatTraceparent(context))).toEqual(context);
      }),
    );
  });

  test("TP1: flags that version 00 does not know are read and not written", () => {
    const read = parseTraceparent(`00-${TRACE}-${SPAN}-ff`);
    expect(read?.traceFlags).toBe(255);
    expect(formatTraceparent(read!)).toBe(`00-${TRACE}-${SPAN}-03`);
  });

  test.each([
    ["empty", ""],
    ["version ff", `ff-${TRACE}-${SPAN}-01`],
    ["a trace id of zeros", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["a span id of zeros", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["upper-case digits", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ["a part too many in version 00", `00-${TRACE}-${SPAN}-01-what`],
    ["a trailing dash in version 00", `00-${TRACE}-${SPAN}-01-`],
    ["a trailing line end", `00-${TRACE}-${SPAN}-01\n`],
    ["a short trace id", `00-${TRACE.slice(1)}-${SPAN}-01`],
    ["a later version that goes on without a dash", `01-${TRACE}-${SPAN}-01what`],
    ["513 characters", `01-${TRACE}-${SPAN}-01-${"x".repeat(457)}`],
  ])("TP2, TP3: %s is malformed", (_, text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });

  test("TP3: a later version is read as far as version 00 goes, up to 512 characters", () => {
    const expected = { traceId: TRACE, spanId: SPAN, traceFlags: 1 };
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01`)).toEqual(expected);
    expect(parseTraceparent(`01-${TRACE}-${SPAN}-01-${"x".repeat(456)}`)).toEqual(expected);
  });

  test("TP2: any text and any edit of a good one gives a context that can be written, or undefined", () => {
    const edited = fc
      .tuple(contexts, fc.nat(54), fc.string({ unit: "binary", maxLength: 3 }))
      .map(([context, at, piece]) => {
        const text = formatTraceparent(context);
        return text.slice(0, at) + piece + text.slice(at + 1);
      });
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), edited), (text) => {
        const read = parseTraceparent(text);
        if (read !== undefined) expect(formatTraceparent(read).slice(3, 52)).toBe(text.slice(3, 52));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    { traceId: "0".repeat(32), spanId: SPAN },
    { traceId: TRACE, spanId: "short" },
  ])("ids that are none are not written: $traceId $spanId", (ids) => {
    let caught: unknown;
    try {
      formatTraceparent({ ...ids, traceFlags: 1 });
    } catch (error) {
      caught = error;
    }
    expect(errorCodeOf(caught)).toBe("abi.malformed");
    expect(isSpanContext({ ...ids, traceFlags: 1 })).toBe(false);
  });
});
