/**
 * What a person, or a program, sees of a failure.
 *
 * R1. One line: what was wrong, then what to do. No stack trace unless `-v`.
 * R2. With `--json` the same as `{"ok":false,"error":{...}}` on standard output.
 */
import { errorCodeOf, toErrorRecord } from "@glia-os/abi/errors";
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
