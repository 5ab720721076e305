/** The commands of `glia agent` that work on an agent's source: `new` and `build`. */
import { type Command, Option } from "commander";
import type { Context } from "../context.ts";
import type { ExitCode } from "../exit-code.ts";

/** What registering needs of the program's own registrar. */
interface Register {
  leaf(parent: Command, usage: string, description: string, shown: readonly string[]): Command;
  runs<Args extends unknown[]>(
    command: Command,
    load: () => Promise<(...args: [...Args, Context]) => Promise<ExitCode>>,
  ): void;
}

/** Add them to `glia agent`. */
export function addAgentSource(agent: Command, register: Register): void {
  const create = register.leaf(
    agent,
    "new <folder>",
    "Make a folder with a small agent in TypeScript that builds and runs.",
    ["glia agent new counter", "glia agent new agents/greeter --lang typescript"],
  );
  create.addOption(
    new Option("--lang <language>", "what it is written in").choices(["typescript"]).default("typescript"),
  );
  register.runs(create, async () => (await import("./new-agent.ts")).agentNew);

  const build = register.leaf(
    agent,
    "build <file>",
    "Make a WebAssembly module of an agent in TypeScript or JavaScript, and a source map beside it.",
    ["glia agent build agent.ts", "glia agent build src/agent.ts --out counter.wasm --minify"],
  );
  build
    .option("--out <file>", "where the module goes (default: the source's name with .wasm)")
    .addOption(
      new Option("--start <when>", "when the top of the program runs: at the build, or at every spawn")
        .choices(["auto", "build", "spawn"])
        .default("auto"),
    )
    .option("--minify", "shorten the code");
  register.runs(build, async () => (await import("./build-agent.ts")).agentBuild);
}
