/** `glia replay FOLDER DOMAIN --program FILE`. */
import { DivergedError, Replay, replayLive } from "@glia-os/durable";
import { createSystemDigests } from "@glia-os/hal";
import type { Context } from "../context.ts";
import { DomainMissingError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { journalIn } from "./history/with-journal.ts";
import { valuesOf } from "./kept-values.ts";
import { loadCellProgram } from "./load-cell-program.ts";
import { loadDurable } from "./load-durable.ts";
import { asJson, asText } from "./value-text.ts";

/** Replay a domain without any effect. */
export async function replayCommand(
  folder: string,
  domain: string,
  options: { readonly program: string },
  { terminal }: Context,
): Promise<ExitCode> {
  const program = (await loadCellProgram(options.program)) ?? (await loadDurable(options.program)).program;
  const journal = journalIn(folder);
  const values = valuesOf(folder, domain);
  try {
    if ((await journal.head(domain)) === undefined) throw new DomainMissingError(domain, folder);
    const make = (): Replay =>
      new Replay({
        domain,
        // A program is asked for by its name; a renamed one is replayed all the same.
        programOf: () => program,
        digests: createSystemDigests(),
        keepPositions: true,
        values,
      });
    const before = (body: Uint8Array): Promise<void> => values.load(body);
    const replay = await replayLive(journal, domain, make, { before });
    report(replay, terminal);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof DivergedError) printDivergence(error, terminal);
    throw error;
  } finally {
    await journal.close();
  }
}

function report(replay: Replay, terminal: Context["terminal"]): void {
  const { ended, run } = replay;
  const records = replay.nextSeq - 1;
  const calls = [...run.calls.values()].map(({ service, call }) => ({
    task: call.path,
    service,
    key: call.key,
  }));
  const result = ended === undefined ? undefined : ended.failed ? ended.error.message : ended.value;
  const state = ended === undefined ? "running" : ended.failed ? "failed" : "ended";
  terminal.record({ ok: true, domain: run.domain, records, state, calls, result: asJson(result) });
  terminal.line(`${run.domain} replays: ${records} records, ${state}.`);
  if (ended !== undefined) terminal.line(`  ${asText(result)}`);
  for (const { task, service } of calls) terminal.line(`  ${task} waits for ${service}`);
}

function printDivergence({ divergence }: DivergedError, terminal: Context["terminal"]): void {
  const { seq, recorded, attempted, position } = divergence;
  terminal.note(`record ${seq} says  ${recorded}`);
  terminal.note(`the program     ${attempted}`);
  for (const line of position.slice(0, 5)) terminal.note(`    at ${line}`);
}
