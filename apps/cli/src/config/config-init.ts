/** `glia config init`: a configuration to begin with. */
import { writeFileSync } from "node:fs";
import { extname, resolve } from "node:path";
import type { Context } from "../context.ts";
import { FolderUnwritableError, UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { checkNodeName } from "../node/data-dir.ts";
import { ConfigExistsError } from "./errors.ts";

/** Its options. */
export interface ConfigInitOptions {
  readonly force?: boolean;
  readonly name?: string;
}

/** Run it. */
export async function configInit(
  named: string | undefined,
  options: ConfigInitOptions,
  { terminal }: Context,
): Promise<ExitCode> {
  const file = resolve(named ?? "glia.config.ts");
  const name = checkNodeName(options.name ?? "hub");
  try {
    writeFileSync(file, textFor(file, name), { flag: options.force === true ? "w" : "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") throw new ConfigExistsError(file);
    throw cause instanceof UsageError ? cause : new FolderUnwritableError(file, cause);
  }
  terminal.record({ ok: true, file, name });
  terminal.line(`${file}: start the node with \`glia up\` in its folder.`);
  return EXIT.ok;
}

function textFor(file: string, name: string): string {
  switch (extname(file)) {
    case ".json":
      return `${JSON.stringify(VALUES(name), null, 2)}\n`;
    case ".ts":
    case ".mts":
    case ".js":
    case ".mjs":
      return program(name);
    default:
      throw new UsageError(
        `${file} is no name of a configuration`,
        "End it with .ts, .mts, .js, .mjs or .json.",
      );
  }
}

const VALUES = (name: string): object => ({
  version: 1,
  name,
  role: "core",
  bind: "127.0.0.1:7400",
  http: { bind: "127.0.0.1:9464" },
  log: { format: "pretty", level: "info" },
});

const program = (name: string): string => `import { defineConfig } from "glia/config";

// Every field: docs/config.md. \`glia config show\` prints what holds, and where it comes from.
export default defineConfig({
  version: 1,
  name: ${JSON.stringify(name)},
  role: "core",
  // Where other nodes reach this one.
  bind: "127.0.0.1:7400",
  // Without \`join\` the first start founds a mesh. To join one: glia mesh token create > join-line.txt
  // join: { file: "join-line.txt" },
  // Metrics, health and jobs; the token is in the file http-token of the data folder.
  http: { bind: "127.0.0.1:9464" },
  log: { format: "pretty", level: "info" },
});
`;
