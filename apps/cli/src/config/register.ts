/** The commands of `glia config`. */
import type { Command } from "commander";
import { describeArgument, group, type Registrar } from "../registrar.ts";

/** Add them. */
export function addConfig(program: Command, register: Registrar): void {
  const config = group(program, "config", "Make, show and check the configuration of a node.");
  const file = "the configuration (default: glia.config.ts, .mts, .js, .mjs or .json in this folder)";

  const init = register.leaf(config, "init [file]", "Write a configuration to begin with.", [
    "glia config init",
    "glia config init edge.config.json --name edge",
  ]);
  describeArgument(init, "where it goes (default: glia.config.ts)");
  init.option("--name <name>", "name of the node").option("--force", "replace a file that is there");
  register.runs(init, async () => (await import("./config-init.ts")).configInit);

  const show = register.leaf(config, "show [file]", "Show what holds, and where each value comes from.", [
    "glia config show",
    "GLIA_LOG_LEVEL=debug glia config show --json",
  ]);
  describeArgument(show, file);
  register.runs(show, async () => (await import("./config-show.ts")).configShow);

  const validate = register.leaf(
    config,
    "validate [file]",
    "Check a configuration and the environment above it: all problems at once.",
    ["glia config validate", "glia config validate edge.config.json"],
  );
  describeArgument(validate, file);
  register.runs(validate, async () => (await import("./config-show.ts")).configValidate);

  const migrate = register.leaf(
    config,
    "migrate [file]",
    "Bring a configuration to the version of the format that this Glia writes.",
    ["glia config migrate glia.config.json"],
  );
  describeArgument(migrate, file);
  register.runs(migrate, async () => (await import("./config-migrate.ts")).configMigrate);
}
