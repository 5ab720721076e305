/**
 * Where nodes keep their data on this machine.
 *
 * D1. `--data` wins; else the folder of the node's name under $GLIA_HOME, or under the XDG state folder (`~/.local/state/glia`).
 */
import { readdirSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import type { NodeRole } from "@glia-os/daemon";
import { UsageError } from "../errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The folder that holds a folder per node (D1). A relative XDG path is ignored, as its specification asks. */
export function gliaHome(env: Environment = process.env): string {
  const own = env["GLIA_HOME"];
  if (own !== undefined && own !== "") return resolve(own);
  const state = env["XDG_STATE_HOME"];
  const base = state !== undefined && isAbsolute(state) ? state : join(homedir(), ".local", "state");
  return join(base, "glia");
}

/** The machine's first name, as a node may be called. */
export function machineName(): string {
  const host =
    hostname()
      .toLowerCase()
      .split(".")[0]
      ?.replaceAll(/[^a-z0-9-]/g, "-") ?? "";
  return host.slice(0, 26).replace(/^-+/, "") || "node";
}

/** The name of a node that got none: the machine's first name and the role. */
export function defaultNodeName(role: NodeRole): string {
  return `${machineName()}-${role}`;
}

const NODE_NAME = /^[a-z0-9][a-z0-9._-]{0,31}$/;

/** A node's name, checked: it becomes a folder's name and appears in tables. */
export function checkNodeName(name: string): string {
  if (!NODE_NAME.test(name))
    throw new UsageError(
      `"${name.slice(0, 80)}" is not a node name`,
      "Use 1 to 32 characters of a-z 0-9 . _ - and start with a letter or digit.",
    );
  return name;
}

/** The data folder of the node `name` (D1). */
export function dataDirOf(name: string, data: string | undefined): string {
  return data === undefined ? join(gliaHome(), checkNodeName(name)) : resolve(data);
}

/** The names of nodes with a folder under the home, sorted; empty when there is no home. Other folders there are none of ours. */
export function knownNodes(home: string): readonly string[] {
  try {
    const entries = readdirSync(home, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && NODE_NAME.test(entry.name))
      .map(({ name }) => name)
      .sort();
  } catch {
    return [];
  }
}
