/**
 * What a person, or a program, sees of a failure.
 *
 * R1. One line: what was wrong, then what to do. No stack trace unless `-v`.
 * R2. With `--json` the same as `{"ok":false,"error":{...}}` on standard output.
 */
import { errorCodeOf, toErrorRecord } from "@glia-os/abi/errors";
import { reasonOf } from "./errors.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** Print a failure (R1, R2) and say how the process ends. */
export function reportFailure(terminal: Terminal, error: unknown): ExitCode {
  const code = errorCodeOf(error);
  if (code === "cli.output-closed") return EXIT.failure;
  const record = toErrorRecord(error);
  terminal.record({ ok: false, error: record });
  terminal.note(`glia: ${failureLine(record)}`);
  if (terminal.verbose) for (const line of traceOf(error)) terminal.note(line);
  if (code === "cli.interrupted") return EXIT.interrupted;
  return code === "cli.usage" || code === "cli.input-malformed" ? EXIT.usage : EXIT.failure;
}

/** How the process ends when a part of its output did not arrive: never as if it were done. A reader that left is not told so. */
export function reportLostOutput(terminal: Terminal, code: ExitCode): ExitCode {
  const { lost } = terminal;
  if (lost === undefined) return code;
  if ((lost as NodeJS.ErrnoException).code !== "EPIPE")
    terminal.note(`glia: Standard output cannot be written: ${reasonOf(lost)}. Send it elsewhere.`);
  return code === EXIT.ok ? EXIT.failure : code;
}

/** One line of a failure: message, then remedy. */
export function failureLine({ message, fix }: { readonly message: string; readonly fix: string }): string {
  const said = message.trim().replaceAll(/\s*\n\s*/g, " ");
  const stop = /[.!?]$/.test(said) ? "" : ".";
  return fix === "" ? `${said}${stop}` : `${said}${stop} ${fix}`;
}

function traceOf(error: unknown): string[] {
  const lines: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) {
    lines.push(`${lines.length === 0 ? "" : "caused by: "}${at.stack ?? at.message}`);
  }
  return lines;
}
