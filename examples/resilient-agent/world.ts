/**
 * The world outside of the agent: a file of reservations, a bank, and an outbox, as three files that only grow. They keep what was done,
 * whoever is killed.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { toolService } from "@glia-os/kernel/services";

/** Called right before and right after something outside changes. */
export type Moment = () => void;

/** The lines of one of the world's files. */
export function linesOf(folder: string, file: string): readonly string[] {
  const path = join(folder, file);
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
}

/** The services of the agent, by name. */
export function worldIn(folder: string, moment: Moment) {
  const write = (file: string, line: string): void => {
    moment();
    const fd = openSync(join(folder, file), "a");
    writeSync(fd, `${line}\n`);
    fsyncSync(fd);
    closeSync(fd);
    moment();
  };
  /** Does it once for each reference, and says the same again to who asks again. */
  const knowing = (file: string) => async (input: unknown) => {
    const { reference } = input as { reference: string };
    if (!linesOf(folder, file).includes(reference)) write(file, reference);
    return `${file}:${reference}`;
  };
  return {
    reserve: { service: toolService({ run: knowing("reservations") }), repeatable: true },
    confirm: { service: toolService({ run: knowing("outbox") }), repeatable: true },
    pay: {
      service: toolService({
        run: async (input) => {
          const { reference, cents } = input as { reference: string; cents: number };
          write("bank", `${reference} ${cents}`);
          return `receipt:${reference}`;
        },
      }),
    },
    payments: {
      service: toolService({
        run: async (reference) =>
          linesOf(folder, "bank").some((line) => line.startsWith(`${reference} `))
            ? `receipt:${reference}`
            : null,
      }),
      repeatable: true,
    },
  };
}
