/** An agent that trains a network with the tensors of its node, on the nodes of a mesh. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { errorCodeOf } from "@glia-os/abi/errors";
import { createNode, type LocalNode } from "@glia-os/daemon";
import { compileAssemblyScript } from "@glia-os/guest-as/build";
import { instrument } from "@glia-os/wasm/pipeline";
import { afterEach, beforeEach, expect, test } from "vitest";

const source = fileURLToPath(new URL("../../guest-as/assembly/guests/tensor-regression.ts", import.meta.url));
let base: string;
let nodes: LocalNode[];
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "glia-tensor-"));
  nodes = [];
});
afterEach(async () => {
  for (const node of nodes.reverse()) await node.stop();
  rmSync(base, { recursive: true, force: true });
});

test("learns the same bits whether it stays or moves between nodes while it trains, and gets tensors only when they are granted", async () => {
  const bind = { host: "127.0.0.1", port: 0 };
  const core = await createNode({
    dataDir: join(base, "core"),
    role: "core",
    bind,
    start: { kind: "new-cluster" },
  });
  nodes.push(core);
  const line = await core.createJoinLine({ ttlMs: 60_000, uses: 1 });
  const edge = await createNode({
    dataDir: join(base, "edge"),
    role: "edge",
    bind,
    start: { kind: "join", line },
  });
  nodes.push(edge);
  const { bytes: module } = await instrument(await compileAssemblyScript(source));
  expect(await core.spawn({ name: "bare", module }).catch(errorCodeOf)).toBe("wasm.import-not-granted");

  const grants = ["glia.v1", "glia.tensor.v1"];
  await core.spawn({ name: "stays", module, grants });
  const { agent } = await core.spawn({ name: "moves", module, grants });
  const places = [(await edge.status()).node, (await core.status()).node];
  for (const place of [0, 1, 0]) {
    const training = Uint8Array.of(200);
    const moved = edge.ask("moves", training, 30_000);
    await core.migrate(agent, places[place] as string);
    expect(await moved).toEqual(await core.ask("stays", training, 30_000));
  }
  const epochs = (await core.listAgents()).map(({ name, epoch }) => `${name} ${epoch}`);
  expect(epochs.sort()).toEqual(["moves 4", "stays 1"]);
});
