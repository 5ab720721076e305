/** Splits a local socket into lines under the limit of the control format (CL1). */
import type { Socket } from "node:net";
import { LINE_LIMIT_BYTES } from "./control-line.ts";
import { ControlMalformedError } from "./errors.ts";

/** Call `onLine` for each complete line; `onFault` once when a line is too long, after which nothing more is read. */
export function readLines(
  socket: Socket,
  onLine: (line: string) => void,
  onFault: (error: ControlMalformedError) => void,
): void {
  let parts: Buffer[] = [];
  let held = 0;
  let faulted = false;
  socket.on("data", (chunk: Buffer) => {
    let rest = chunk;
    for (let end = rest.indexOf(10); end >= 0 && !faulted; end = rest.indexOf(10)) {
      parts.push(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
      const line = Buffer.concat(parts).toString("utf8");
      parts = [];
      held = 0;
      onLine(line);
    }
    held += rest.length;
    if (faulted) return;
    if (held > LINE_LIMIT_BYTES) {
      faulted = true;
      parts = [];
      onFault(new ControlMalformedError(`it is longer than ${LINE_LIMIT_BYTES} bytes`));
    } else if (rest.length > 0) parts.push(rest);
  });
}
