import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ReadyNode, startReadyNode } from "./ready-node.ts";
import { type CliResult, runCli } from "./run-cli.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-durable-agents-"));
const env = { GLIA_HOME: join(scratch, "home"), NO_COLOR: "1" };
const file = (name: string): string => join(scratch, name);
const glia = (...args: string[]): Promise<CliResult> => runCli(args, { env });

const SOURCE = `
import { words } from "./words.ts";
interface Message { id: string; ask: boolean; payload: Uint8Array }
export const program = {
  name: "counter",
  uses: ["cell"],
  run: () =>
    function* (sys: any, inbox: any, cell: any) {
      let count = 0;
      for (;;) {
        const message: Message = yield* sys.receive(inbox);
        count += words(new TextDecoder().decode(message.payload));
        const payload = new TextEncoder().encode(String(count));
        if (message.ask) yield* sys.exec(cell, { reply: message.id, payload });
      }
    },
};
`;

let hub: ReadyNode;
beforeAll(async () => {
  writeFileSync(file("counter.ts"), SOURCE);
  writeFileSync(file("words.ts"), "export const words = (text: string): number => text.split(' ').length;\n");
  hub = await startReadyNode(
    ["mesh", "start", "--bind", "127.0.0.1:0", "--name", "hub", "--programs", "uploaded"],
    env,
  );
});
afterAll(async () => {
  hub.child.kill("SIGKILL");
  await hub.result;
  rmSync(scratch, { recursive: true, force: true });
});

describe("a durable agent from the command line", () => {
  it("is bundled from its sources, answers, goes on after kill -9 of its node, and its journal replays without it", async () => {
    expect((await glia("agent", "spawn", file("counter.ts"), "--durable", "--as", "counter")).code).toBe(0);
    expect((await glia("agent", "send", "counter", "one two", "--ask")).stdout).toBe("2\n");
    hub.child.kill("SIGKILL");
    await hub.result;
    const again = ["--bind", "127.0.0.1:0", "--name", "hub", "--programs", "uploaded", "--resume"];
    hub = await startReadyNode(["mesh", "start", ...again], env);
    expect((await glia("agent", "send", "counter", "three", "--ask")).stdout).toBe("3\n");
    const journal = join(env.GLIA_HOME, "hub", "journal");
    const { stdout } = await glia("journal", "list", journal, "--json");
    const { domain } = JSON.parse(stdout.split("\n")[0] ?? "") as { readonly domain: string };
    const replayed = await glia("replay", journal, domain, "--program", file("counter.ts"), "--json");
    expect([replayed.code, JSON.parse(replayed.stdout)]).toMatchObject([0, { ok: true, state: "running" }]);
    writeFileSync(file("words.ts"), "export const words = (text: string): number => text.length;\n");
    const changed = await glia("replay", journal, domain, "--program", file("counter.ts"), "--json");
    expect(JSON.parse(changed.stdout)).toMatchObject({
      ok: false,
      error: { code: "durable.program-changed" },
    });
  });

  it("is refused by a node that allows no programs, and sources that are wrong are named with their place", async () => {
    const plain = await startReadyNode(["mesh", "start", "--bind", "127.0.0.1:0", "--name", "plain"], env);
    try {
      writeFileSync(
        file("bundle.mjs"),
        "export const program = { name: 'x', run: () => function* () {} };\n",
      );
      const spawned = ["agent", "spawn", file("bundle.mjs"), "--durable", "--node", "plain", "--json"];
      expect(JSON.parse((await glia(...spawned)).stdout)).toMatchObject({
        ok: false,
        error: { code: "cells.programs-refused" },
      });
    } finally {
      plain.child.kill("SIGTERM");
      await plain.result;
    }
    writeFileSync(file("broken.ts"), "export const program = {\n");
    const broken = await glia("agent", "spawn", file("broken.ts"), "--durable");
    expect([broken.code, broken.stderr]).toEqual([1, expect.stringContaining("broken.ts:2:1")]);
  });
});
