import { Writable } from "node:stream";
import { UnexpectedError } from "@glia-os/abi/errors";
import { describe, expect, it } from "vitest";
import { InputMissingError, InterruptedError, OutputClosedError, UsageError } from "../src/errors.ts";
import { EXIT } from "../src/exit-code.ts";
import { failureLine, reportFailure } from "../src/failure.ts";
import { formatBytes, formatCount, formatMs } from "../src/terminal/amount.ts";
import { StatusLine } from "../src/terminal/status-line.ts";
import { formatTable } from "../src/terminal/table.ts";
import { type OutputStream, Terminal } from "../src/terminal/terminal.ts";

interface Recorded {
  readonly terminal: Terminal;
  readonly out: () => string;
  readonly err: () => string;
  readonly stream: Writable;
}

/** A stream that keeps what it gets; `take` gives it out and forgets it. */
class Sink extends Writable {
  #held = "";

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#held += chunk.toString();
    done();
  }

  take(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }
}

function record(
  options: { json?: boolean; verbose?: boolean; isTTY?: boolean; columns?: number } = {},
): Recorded {
  const { json = false, verbose = false, isTTY = false, columns = 80 } = options;
  const out = Object.assign(new Sink(), { isTTY, columns });
  const err = new Sink();
  const terminal = new Terminal({ out: out as OutputStream, err, json, verbose });
  return { terminal, out: () => out.take(), err: () => err.take(), stream: out };
}

describe("amounts", () => {
  it("are rounded to three digits and never show 1000 or 1024 of a smaller unit", () => {
    expect([0, 1023, 1024, 1536, 1024 * 1024 - 1, 16 * 1024 ** 2, 5 * 1024 ** 4].map(formatBytes)).toEqual([
      "0 B",
      "1023 B",
      "1.00 KiB",
      "1.50 KiB",
      "1.00 MiB",
      "16.0 MiB",
      "5.00 TiB",
    ]);
    expect([0.4, 71.8733878, 718.7333878017231].map(formatBytes)).toEqual(["0.40 B", "71.9 B", "719 B"]);
    expect([0.4242, 12.34, 999.4, 999.6, 61_000].map(formatMs)).toEqual([
      "0.42 ms",
      "12.3 ms",
      "999 ms",
      "1.00 s",
      "1 min 1 s",
    ]);
    expect([0, 999, 1000, 1234567].map(formatCount)).toEqual(["0", "999", "1,000", "1,234,567"]);
  });
});

describe("tables", () => {
  it("align columns and leave no trailing space", () => {
    expect(
      formatTable(
        ["a", "count"],
        [
          ["long", "1"],
          ["x", ""],
        ],
        ["left", "right"],
      ),
    ).toEqual(["a     count", "long      1", "x"]);
  });
});

describe("the terminal", () => {
  it("writes people's lines or programs' lines, never both (O1)", () => {
    const people = record();
    people.terminal.line("hello");
    people.terminal.record({ a: 1 });
    expect(people.out()).toBe("hello\n");
    const programs = record({ json: true });
    programs.terminal.line("hello");
    programs.terminal.record({ a: 1 });
    expect(programs.out()).toBe('{"a":1}\n');
  });

  it("colours nothing without a terminal (O2)", () => {
    expect(record().terminal.style("red", "x")).toBe("x");
  });

  it("reports a reader that went away once, and writes nothing more (O3)", async () => {
    const { terminal, stream, out } = record();
    stream.emit("error", Object.assign(new RangeError("gone"), { code: "EPIPE" }));
    await terminal.closed;
    terminal.line("lost");
    expect(out()).toBe("");
    expect(terminal.lost).toMatchObject({ code: "EPIPE" });
  });
});

describe("a failure", () => {
  it("is one line: what was wrong, then what to do (R1)", () => {
    const { terminal, out, err } = record();
    expect(reportFailure(terminal, new InputMissingError("/x"))).toBe(EXIT.failure);
    expect(err()).toBe("glia: There is no folder /x. Check the path given with --input.\n");
    expect(out()).toBe("");
  });

  it("has a stack trace, with its causes, only with -v (R1)", () => {
    const cause = new UnexpectedError("inner");
    const { terminal, err } = record({ verbose: true });
    reportFailure(terminal, new UnexpectedError("outer", cause));
    expect(err()).toMatch(/outer[\s\S]*\bat [\s\S]*caused by: UnexpectedError: inner/);
  });

  it("joins lines and does not double the full stop", () => {
    expect(failureLine({ message: "a\n  b.", fix: "Do c." })).toBe("a b. Do c.");
    expect(failureLine({ message: "a", fix: "" })).toBe("a.");
  });

  it("is a record with --json (R2)", () => {
    const { terminal, out } = record({ json: true });
    reportFailure(terminal, new InputMissingError("/x"));
    expect(JSON.parse(out())).toMatchObject({
      ok: false,
      error: { code: "cli.input-missing", fix: expect.any(String) },
    });
  });

  it("decides the exit code: 2 for usage, 130 for an interrupt, silence for a closed output", () => {
    const { terminal, err } = record();
    expect(reportFailure(terminal, new UsageError("x"))).toBe(2);
    expect(reportFailure(terminal, new InterruptedError("Ctrl-C"))).toBe(130);
    err();
    expect(reportFailure(terminal, new OutputClosedError())).toBe(1);
    expect(err()).toBe("");
  });
});

describe("the status line", () => {
  it("is repainted at most 10 times per second and goes away before a line that stays (SL1)", () => {
    let now = 0;
    const { terminal, out } = record({ isTTY: true });
    const lines = new StatusLine(terminal, () => now);
    let painted = 0;
    for (; now < 1000; now++)
      lines.update(() => {
        painted++;
        return "working";
      });
    expect(painted).toBe(10);
    lines.print("done");
    lines.end();
    expect(out().endsWith("\u001b[1G\u001b[0Jdone\nworking\u001b[1G\u001b[0J")).toBe(true);
  });

  it("is never shown without a terminal; lines that stay are (SL2)", () => {
    const { terminal, out } = record();
    const lines = new StatusLine(terminal);
    lines.update(() => "working");
    lines.print("done");
    lines.end();
    expect(out()).toBe("done\n");
  });

  it("is cut to the terminal's width (SL3)", () => {
    const { terminal, out } = record({ isTTY: true, columns: 10 });
    new StatusLine(terminal, () => 1000).update(() => "é".repeat(50));
    expect(out()).toBe("é".repeat(9));
  });
});
