/** Nodes of this process for the tests of this folder, all stopped and removed after each test. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import { createNode, type LocalNode, type NodeOptions, type NodeRole } from "@glia-os/daemon";
import { afterEach, beforeEach } from "vitest";

const require = createRequire(import.meta.url);

/** One of the guests this repository ships. */
export const guest = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(require.resolve(`@glia-os/guest-as/guests/${name}.wasm`)));
export const text = (words: string): Uint8Array => new TextEncoder().encode(words);
export const words = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** The code of what a call is refused with. */
export const codeOf = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => errorCodeOf(error),
  );

/** Nodes of one test. */
export interface TestNodes {
  /** A folder of the test. */
  readonly base: () => string;
  start(
    role: NodeRole,
    startOf: NodeOptions["start"],
    name: string,
    more?: Partial<NodeOptions>,
  ): Promise<LocalNode>;
  /** Found a mesh. */
  found(more?: Partial<NodeOptions>): Promise<LocalNode>;
  joined(core: LocalNode, name: string, more?: Partial<NodeOptions>): Promise<LocalNode>;
}

/** Call it once in a file. */
export function testNodes(): TestNodes {
  let base = "";
  let nodes: LocalNode[] = [];
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), "glia-move-"));
    nodes = [];
  });
  afterEach(async () => {
    for (const node of nodes.reverse()) await node.stop();
    rmSync(base, { recursive: true, force: true });
  });
  const start: TestNodes["start"] = async (role, startOf, name, more = {}) => {
    const bind = role === "client" ? {} : { bind: { host: "127.0.0.1", port: 0 } };
    const node = await createNode({
      dataDir: join(base, name),
      role,
      name,
      start: startOf,
      ...bind,
      ...more,
    });
    nodes.push(node);
    return node;
  };
  return {
    base: () => base,
    start,
    found: (more) => start("core", { kind: "new-cluster" }, "core", more),
    joined: async (core, name, more) => {
      const line = await core.createJoinLine({ ttlMs: 60_000, uses: 1 });
      return start(name === "client" ? "client" : "edge", { kind: "join", line }, name, more);
    },
  };
}
