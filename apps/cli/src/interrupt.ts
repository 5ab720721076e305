/**
 * One signal that tells a command to give up: Ctrl-C, SIGTERM, SIGHUP, or a standard output that nobody reads any more.
 *
 * I1. The first signal asks; the second ends the process at once. Processes this one started end by themselves then.
 */
import { InterruptedError, OutputClosedError } from "./errors.ts";
import { EXIT } from "./exit-code.ts";
import type { Terminal } from "./terminal/terminal.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const NAMES: Readonly<Record<string, string>> = { SIGINT: "Ctrl-C" };

/** Listen for the reasons to give up (I1), except the `ignored` signals. The reason of the returned signal is a `GliaError`. */
export function listenForInterrupt(terminal: Terminal, ignored: readonly string[] = []): AbortSignal {
  const controller = new AbortController();
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (ignored.includes(name)) return;
      if (controller.signal.aborted) process.exit(EXIT.interrupted);
      controller.abort(new InterruptedError(NAMES[name] ?? name));
    });
  }
  void terminal.closed.then(() => controller.abort(new OutputClosedError()));
  return controller.signal;
}

/** Rejects with the signal's reason when it is aborted; pending otherwise. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
