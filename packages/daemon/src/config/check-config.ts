/**
 * Makes a checked configuration of what a file and the environment say.
 *
 * CC1. Nothing is used of a configuration with a problem; the error names all of them (CF1).
 */
import { checkShape, type Problem } from "./check-shape.ts";
import { CONFIG_SHAPE } from "./config-shape.ts";
import { overrideByEnvironment } from "./environment.ts";
import { ConfigInvalidError } from "./errors.ts";
import { CONFIG_VERSION, type GliaConfig } from "./glia-config.ts";

/** A configuration that holds, and which variable each path of it came from, if one did. */
export interface CheckedConfig {
  readonly config: GliaConfig;
  readonly fromEnvironment: ReadonlyMap<string, string>;
}

/**
 * Check what `from` (a file, for the message) holds, with the environment above it.
 * @throws {ConfigInvalidError} with every problem (CC1)
 */
export function checkConfig(
  value: unknown,
  from: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): CheckedConfig {
  const { value: whole, taken, problems } = overrideByEnvironment(value, environment);
  const newer = versionProblems(whole);
  const either = [
    ...eitherOf(whole, "join", ["line", "file"]),
    ...eitherOf(whole, "programs", ["uploaded", "folder"]),
    ...durableProblems(whole),
  ];
  const all = newer.length > 0 ? newer : [...checkShape(whole, CONFIG_SHAPE), ...either, ...problems];
  if (all.length > 0) throw new ConfigInvalidError(from, all);
  return { config: whole as GliaConfig, fromEnvironment: taken };
}

/** A newer file is one problem, whatever else in it this version does not know. */
function versionProblems(value: unknown): Problem[] {
  const version = (value as { readonly version?: unknown } | null)?.version;
  if (!Number.isInteger(version) || (version as number) <= CONFIG_VERSION) return [];
  return [{ path: "version", what: `is ${version}: made for a newer Glia, which reads it` }];
}

/** A record that says one of two things. */
function eitherOf(value: unknown, field: string, keys: readonly [string, string]): Problem[] {
  const given = (value as Readonly<Record<string, unknown>> | null)?.[field];
  if (typeof given !== "object" || given === null) return [];
  const said = keys.filter((key) => (given as Record<string, unknown>)[key] !== undefined);
  if (said.length === 1) return [];
  const [one, other] = keys;
  return [
    {
      path: field,
      what: said.length === 0 ? `says neither ${one} nor ${other}` : `says both ${one} and ${other}`,
    },
  ];
}

/** A durable agent of this node needs a node that runs such programs. */
function durableProblems(value: unknown): Problem[] {
  const { programs, agents } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (programs !== undefined || !Array.isArray(agents)) return [];
  return agents.flatMap((agent: { readonly durable?: unknown; readonly on?: unknown } | null, at) =>
    agent?.durable === true && agent.on === undefined
      ? [
          {
            path: `agents[${at}].durable`,
            what: "needs `programs`: this node runs no program outside the sandbox",
          },
        ]
      : [],
  );
}
