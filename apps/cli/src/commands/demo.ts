/** `glia demo`: the main job. */
import { type Context, unlessInterrupted } from "../context.ts";
import { listCorpus } from "../demo/corpus.ts";
import { defaultCorpus } from "../demo/default-input.ts";
import { DemoView } from "../demo/view.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";

/** Its options. */
export interface DemoCommandOptions {
  readonly input?: string;
}

/** Run it: exit 0 only if the counts agree and nothing was lost or duplicated. */
export async function demo({ input }: DemoCommandOptions, context: Context): Promise<ExitCode> {
  const { terminal, interrupt } = context;
  const view = new DemoView(terminal);
  try {
    const listing = input === undefined ? defaultCorpus(process.cwd()) : listCorpus(input);
    const corpus = await unlessInterrupted(context, listing);
    view.corpus(corpus);
    // Loaded only now, so that bad input is refused at once.
    const { runDemo } = await import("../demo/run.ts");
    const record = await runDemo({ corpus, interrupt }, view);
    view.result(record);
    terminal.record(record);
    return record.ok ? EXIT.ok : EXIT.failure;
  } catch (error) {
    view.abandon();
    throw error;
  }
}
