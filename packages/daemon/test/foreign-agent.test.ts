/** An agent written in C with its standard library, on the nodes of a mesh. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import { createNode, type LocalNode } from "@glia-os/daemon";
import { instrument } from "@glia-os/wasm/pipeline";
import { afterEach, beforeEach, expect, test } from "vitest";

const tally = new URL("../../../conformance/guests/prebuilt/tally.wasm", import.meta.url);
let base: string;
let nodes: LocalNode[];
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "glia-foreign-"));
  nodes = [];
});
afterEach(async () => {
  for (const node of nodes.reverse()) await node.stop();
  rmSync(base, { recursive: true, force: true });
});

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

test("answers, moves between nodes with its heap and its place in a recursion, and gets WASI only when it is granted", async () => {
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
  const { bytes: module } = await instrument(readFileSync(tally));
  const refused = await core.spawn({ name: "bare", module }).catch(errorCodeOf);
  expect(refused).toBe("wasm.import-not-granted");

  const grants = ["glia.v1", "wasi_snapshot_preview1"];
  const { agent } = await core.spawn({ name: "tally", module, grants });
  const places = [(await edge.status()).node, (await core.status()).node];
  let sum = 0;
  for (let n = 1; n <= 12; n++) {
    sum += n * 1000;
    const reply = new TextDecoder().decode(await edge.ask("tally", u32(n * 1000), 10_000));
    expect(reply).toMatch(new RegExp(`^${n} numbers, sum ${sum}, median `));
    if (n % 4 === 0) await core.migrate(agent, places[(n / 4 + 1) % 2] as string);
  }
  expect(await core.listAgents()).toMatchObject([{ name: "tally", epoch: 4 }]);
});
