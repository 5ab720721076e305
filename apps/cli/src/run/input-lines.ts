/**
 * The lines of standard input as messages of a mailbox.
 *
 * IL1. Lines end in LF or CR LF; the last one may lack it. Bytes that are no UTF-8 are replaced.
 * IL2. No more is read while the mailbox is under pressure, and a line has at most {@link LINE_LIMIT_BYTES}.
 */
import type { Handle, Kernel } from "@glia-os/kernel";
import { LineTooLongError } from "../errors.ts";
import { INPUT_ENDED } from "./load-program.ts";

/** Longest line in bytes: 1 MiB. */
export const LINE_LIMIT_BYTES = 1_048_576;
const LF = 10;
const CR = 13;

/** Hand each line to the mailbox of the shell, then say that there are no more. @throws {LineTooLongError} */
export async function feedLines(kernel: Kernel, inbox: Handle, input: AsyncIterable<Buffer>): Promise<void> {
  for await (const line of linesOf(input)) await deliver(kernel, inbox, line);
  await deliver(kernel, inbox, INPUT_ENDED);
}

async function deliver(kernel: Kernel, inbox: Handle, message: unknown): Promise<void> {
  while (kernel.trySend(inbox, message) === "full") await relief(kernel, inbox);
  await relief(kernel, inbox);
}

/** Resolves when the mailbox takes more without pressure. */
function relief(kernel: Kernel, inbox: Handle): Promise<void> {
  return new Promise((resolve) => kernel.onRelief(inbox, resolve));
}

/** The lines of a stream of bytes (IL1, IL2). @throws {LineTooLongError} */
export async function* linesOf(input: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  let parts: Buffer[] = [];
  let held = 0;
  for await (const chunk of input) {
    let from = 0;
    for (let end = chunk.indexOf(LF, from); end >= 0; end = chunk.indexOf(LF, from)) {
      if (held + end - from > LINE_LIMIT_BYTES) throw new LineTooLongError(LINE_LIMIT_BYTES);
      yield text([...parts, chunk.subarray(from, end)]);
      parts = [];
      held = 0;
      from = end + 1;
    }
    held += chunk.length - from;
    if (held > LINE_LIMIT_BYTES) throw new LineTooLongError(LINE_LIMIT_BYTES);
    if (from < chunk.length) parts.push(chunk.subarray(from));
  }
  if (held > 0) yield text(parts);
}

function text(parts: readonly Buffer[]): string {
  const bytes = Buffer.concat(parts);
  return bytes.toString("utf8", 0, bytes.at(-1) === CR ? bytes.length - 1 : bytes.length);
}
