/** The commands of `glia agent` that work on an agent's source: `new` and `build`. */
import { type Command, Option } from "commander";
import type { Registrar } from "../registrar.ts";

/** Add them to `glia agent`. */
export function addAgentSource(agent: Command, register: Registrar): void {
  const create = register.leaf(
    agent,
    "new <folder>",
    "Make a folder with a small agent in TypeScript or AssemblyScript that builds and runs.",
    ["glia agent new counter", "glia agent new agents/greeter --lang assemblyscript"],
  );
  create.addOption(
    new Option("--lang <language>", "what it is written in")
      .choices(["typescript", "assemblyscript"])
      .default("typescript"),
  );
  register.runs(create, async () => (await import("./new-agent.ts")).agentNew);

  const build = register.leaf(
    agent,
    "build <file>",
    "Make a WebAssembly module of an agent in TypeScript or JavaScript, with a source map beside it, or in AssemblyScript.",
    [
      "glia agent build agent.ts",
      "glia agent build src/agent.ts --out counter.wasm --minify",
      "glia agent build agent.ts --lang assemblyscript",
    ],
  );
  build
    .option("--out <file>", "where the module goes (default: the source's name with .wasm)")
    .addOption(
      new Option("--start <when>", "when the top of the program runs: at the build, or at every spawn")
        .choices(["auto", "build", "spawn"])
        .default("auto"),
    )
    .option("--minify", "shorten the code; TypeScript only")
    .addOption(
      new Option(
        "--lang <language>",
        "what it is written in; auto: AssemblyScript when it imports @glia-os/guest-as/assembly",
      )
        .choices(["auto", "typescript", "assemblyscript"])
        .default("auto"),
    )
    .addOption(
      new Option("--profile <profile>", "where an agent in AssemblyScript can be stopped (docs/guests.md)")
        .choices(["cooperative", "metered", "preemptive"])
        .default("cooperative"),
    );
  register.runs(build, async () => (await import("./build-agent.ts")).agentBuild);
}
