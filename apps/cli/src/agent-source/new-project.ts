/** `glia new`: a folder with an agent, its test and a node's configuration; what `npm create glia` makes. */
import { createProject } from "create-glia";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";

/** Run it. */
export async function newProject(folder: string, _options: object, context: Context): Promise<ExitCode> {
  const { folder: path, name, files } = createProject(folder);
  context.terminal.record({ ok: true, folder: path, name, files });
  context.terminal.line(`${path}: ${files.join(", ")}`);
  context.terminal.line(`Next: cd ${folder} && npm install && npm test && npx glia up`);
  return EXIT.ok;
}
