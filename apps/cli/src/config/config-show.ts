/** `glia config show` and `glia config validate`: what holds, and where each value comes from. */
import { CONFIG_SHAPE, CONFIG_VARIABLES, type GliaConfig } from "@glia-os/daemon/config";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { findConfig, type ReadConfig, readConfig } from "./read-config.ts";

interface Setting {
  readonly path: string;
  readonly value: unknown;
  readonly from: string;
}

const SECRET = "(a join line: secret)";

/** Run `glia config show`. */
export async function configShow(
  named: string | undefined,
  _options: object,
  { terminal }: Context,
): Promise<ExitCode> {
  const read = await readConfig(findConfig(named), process.env);
  const settings = settingsOf(read);
  terminal.record({ ok: true, file: read.file ?? null, config: withoutSecret(read.config), settings });
  terminal.line(read.file ?? "no file: defaults and the environment");
  const width = Math.max(0, ...settings.map(({ path }) => path.length));
  for (const { path, value, from } of settings)
    terminal.line(`  ${path.padEnd(width)}  ${JSON.stringify(value)}  ${terminal.style("dim", from)}`);
  return EXIT.ok;
}

/** Run `glia config validate`. */
export async function configValidate(
  named: string | undefined,
  _options: object,
  { terminal }: Context,
): Promise<ExitCode> {
  const read = await readConfig(findConfig(named), process.env);
  const settings = settingsOf(read).length;
  terminal.record({ ok: true, file: read.file ?? null, settings });
  terminal.line(`${read.file ?? "The environment alone"}: no problem, ${settings} settings`);
  return EXIT.ok;
}

/** A setting for each top-level field or field of a record that is set, in the order of the format. */
function settingsOf({ config, file, fromEnvironment }: ReadConfig): Setting[] {
  const settings: Setting[] = [];
  const add = (path: string, value: unknown): void => {
    if (value === undefined) return;
    const from = fromEnvironment.get(path) ?? file ?? "";
    settings.push({ path, value: path === "join.line" ? SECRET : value, from });
  };
  const known = new Set(CONFIG_VARIABLES.map(({ path }) => path.join(".")));
  const walk = (value: unknown, fields: typeof CONFIG_SHAPE.fields, above: string): void => {
    for (const [key, { shape }] of Object.entries(fields)) {
      const inner = (value as Record<string, unknown> | undefined)?.[key];
      const path = above === "" ? key : `${above}.${key}`;
      if (shape.kind === "record" && !known.has(path)) walk(inner, shape.fields, path);
      else add(path, inner);
    }
  };
  walk(config, CONFIG_SHAPE.fields, "");
  return settings;
}

function withoutSecret(config: GliaConfig): GliaConfig {
  return config.join?.line === undefined ? config : { ...config, join: { line: SECRET } };
}
