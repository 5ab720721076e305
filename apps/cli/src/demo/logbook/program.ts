/**
 * The third agent of the demo: a durable one that writes down what happens. What it was told is in its journal, so that the whole of it can be
 * replayed afterwards.
 */
import type { CellMessage } from "@glia-os/cells/domain";
import type { DurableProgram } from "@glia-os/durable";
import type { Handle, Routine, Sys } from "@glia-os/kernel";

/** What asks for everything that was written down. */
export const REPORT = "report";

/** The program. `heard` is told each line, also in a replay. */
export function logbook(heard: (line: string) => void): DurableProgram<unknown> {
  return {
    name: "logbook",
    uses: ["cell"],
    run: () =>
      function* (sys: Sys, inbox: Handle, cell: Handle | undefined): Routine<never> {
        const lines: string[] = [];
        for (;;) {
          const message = (yield* sys.receive(inbox)) as CellMessage;
          const text = new TextDecoder().decode(message.payload);
          if (text !== "report") {
            lines.push(text);
            heard(text);
          }
          if (message.ask && cell !== undefined) {
            const payload = new TextEncoder().encode(JSON.stringify(lines));
            yield* sys.exec(cell, { reply: message.id, payload });
          }
        }
      },
  };
}

/** What a node runs. */
export const program: DurableProgram<unknown> = logbook(() => undefined);
