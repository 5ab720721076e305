import type { LogFields } from "@glia-os/abi/ports";
import { createLogger, type LoggerOptions } from "@glia-os/host";
import fc from "fast-check";
import { expect, test } from "vitest";

const clock = { monotonicMs: () => 0, wallMs: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678) };

function written(
  options: Partial<LoggerOptions>,
  use: (logger: ReturnType<typeof createLogger>) => void,
): string {
  let text = "";
  use(createLogger({ sink: { write: (chunk) => (text += chunk) }, clock, ...options }));
  return text;
}

test("a JSON line holds time, level, message and the fields of logger and call", () => {
  const text = written({}, (logger) =>
    logger.child({ node: "edge" }).log("warn", "moved", { bytes: 7, to: undefined }),
  );
  expect(JSON.parse(text)).toEqual({
    time: "2026-01-02T03:04:05.678Z",
    level: "warn",
    message: "moved",
    node: "edge",
    bytes: 7,
  });
});

test("a pretty line is plain without colour, and coloured only when asked", () => {
  const say = (logger: ReturnType<typeof createLogger>) =>
    logger.log("error", "went wrong", { why: "no room", n: 3 });
  expect(written({ format: "pretty" }, say)).toBe('03:04:05.678 error went wrong why="no room" n=3\n');
  expect(written({ format: "pretty", color: true }, say)).toBe(
    '03:04:05.678 \u001b[31merror\u001b[0m went wrong why="no room" n=3\n',
  );
});

test("lines below the level are dropped", () => {
  const say = (logger: ReturnType<typeof createLogger>) => {
    for (const level of ["trace", "debug", "info", "warn", "error"] as const) logger.log(level, level);
  };
  expect(written({}, say).split("\n").length - 1).toBe(3);
  expect(written({ level: "error" }, say).split("\n").length - 1).toBe(1);
  expect(written({ level: "trace" }, say).split("\n").length - 1).toBe(5);
});

test("G1: any message and any fields make exactly one line that drives no terminal", () => {
  const anything = fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }));
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      anything,
      fc.constantFrom("json", "pretty"),
      (message, fields, format) => {
        const text = written({ format: format as "json" }, (logger) => logger.log("info", message, fields));
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
        expect(text).toMatch(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*\n$/);
        if (format === "json") expect(JSON.parse(text)).toMatchObject({ level: "info", message });
      },
    ),
  );
});

test("a field cannot replace the time, the level or the message of a line", () => {
  const line = JSON.parse(
    written({}, (logger) => logger.log("info", "real", { level: "fake", message: "fake" })),
  );
  expect(line).toMatchObject({ level: "info", message: "real", level_: "fake", message_: "fake" });
});

test("G2: what is no plain value is written as text, long text is cut, and a broken sink throws nothing", () => {
  const hostile = {
    toString() {
      throw new RangeError("no text");
    },
  };
  const fields = { big: "x".repeat(10_000), nan: Number.NaN, hostile, list: [1, 2] } as unknown as LogFields;
  const line = JSON.parse(written({}, (logger) => logger.log("info", "odd", fields)));
  expect(line).toMatchObject({ nan: "NaN", hostile: "[no text]", list: "1,2" });
  expect(line.big).toHaveLength(8195);
  const broken = createLogger({
    clock,
    sink: {
      write: () => {
        throw new RangeError("closed");
      },
    },
  });
  expect(() => broken.log("error", "nobody hears")).not.toThrow();
});
