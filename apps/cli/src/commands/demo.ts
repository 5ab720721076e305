/** `glia demo`: the main job. */
import type { Context } from "../context.ts";
import { runDemo } from "../demo/run.ts";
import { DemoView } from "../demo/view.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";

/** Its options. */
export interface DemoCommandOptions {
  readonly input?: string;
}

/** Run it: exit 0 only if the counts agree and nothing was lost or duplicated. */
export async function demo(
  { input }: DemoCommandOptions,
  { terminal, interrupt }: Context,
): Promise<ExitCode> {
  const view = new DemoView(terminal);
  try {
    const record = await runDemo({ input, workingDir: process.cwd(), interrupt }, view);
    view.result(record);
    terminal.record(record);
    return record.ok ? EXIT.ok : EXIT.failure;
  } catch (error) {
    view.abandon();
    throw error;
  }
}
