/**
 * Which node of this machine a command talks to.
 *
 * N1. `--data` or `--name` says which; without either it is the only one that runs. Never a guess among several.
 */

import { resolve } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import { type ControlConnection, connectControl } from "@glia-os/daemon";
import { nearestWord } from "@glia-os/daemon/config";
import { NodeAmbiguousError, NodeNotRunningError } from "../errors.ts";
import { dataDirOf, gliaHome, knownNodes } from "./data-dir.ts";

/** The options that name a node. */
export interface NodeChoice {
  readonly data?: string;
  readonly name?: string;
}

/** What a call fails with when the node ends under it: the connection is gone, or its threads are a moment before it. */
const NODE_ENDS: ReadonlySet<string> = new Set(["daemon.control-closed", "daemon.thread-gone"]);

/** Whether a call failed because the node has ended. */
export function isNodeEnd(error: unknown): boolean {
  return NODE_ENDS.has(errorCodeOf(error) ?? "");
}

/** Do something with the chosen node (N1); the connection is closed afterwards. */
export async function withNode<T>(
  choice: NodeChoice,
  use: (node: ControlConnection) => Promise<T>,
): Promise<T> {
  const node = await openNode(choice);
  try {
    return await use(node);
  } finally {
    await node.close();
  }
}

/** A connection to the chosen node (N1). @throws {NodeNotRunningError} {NodeAmbiguousError} */
export async function openNode({ data, name }: NodeChoice): Promise<ControlConnection> {
  if (data !== undefined) return connectControl(resolve(data));
  if (name !== undefined) return openNamed(name);
  const home = gliaHome();
  const running = await runningNodes();
  const [only] = running;
  if (only === undefined) throw new NodeNotRunningError(home);
  if (running.length === 1) return only.node;
  await Promise.all(running.map(({ node }) => node.close()));
  throw new NodeAmbiguousError(
    home,
    running.map((each) => each.name),
  );
}

/** The node of a name; a name that is nearly another node's is said to be. */
async function openNamed(name: string): Promise<ControlConnection> {
  const folder = dataDirOf(name, undefined);
  try {
    return await connectControl(folder);
  } catch (cause) {
    const known = knownNodes(gliaHome());
    const meant = known.includes(name) ? undefined : nearestWord(name, known);
    if (meant === undefined || errorCodeOf(cause) !== "daemon.not-running") throw cause;
    throw new NodeNotRunningError(folder, meant, cause);
  }
}

/** Connections to all nodes that run under the home of this user. */
export async function runningNodes(): Promise<
  readonly { readonly name: string; readonly node: ControlConnection }[]
> {
  const running: { readonly name: string; readonly node: ControlConnection }[] = [];
  for (const known of knownNodes(gliaHome())) {
    const node = await connectIfRunning(dataDirOf(known, undefined));
    if (node !== undefined) running.push({ name: known, node });
  }
  return running;
}

async function connectIfRunning(dataDir: string): Promise<ControlConnection | undefined> {
  try {
    return await connectControl(dataDir);
  } catch (error) {
    if (errorCodeOf(error) === "daemon.not-running") return undefined;
    throw error;
  }
}
