/** Agents to be moved by the suite `cells-moves`: each answers every message at once. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SpawnRequest } from "@glia-os/daemon";
import { compileAssemblyScript } from "@glia-os/guest-as/build";
import { buildAgent } from "@glia-os/guest-js/build";
import { instrument } from "@glia-os/wasm/pipeline";

/** What to spawn, but for its name and place. */
export type MovingAgent = Pick<SpawnRequest, "module" | "kind" | "grants" | "memoryPages">;

const PAGES_PER_MEBIBYTE = 16;

/**
 * Fills so much memory with what does not compress, and rewrites 64 KiB of it with each message. It allocates nothing more: a collector that waits until
 * the garbage is as large as what lives would run out of memory first.
 */
export async function rewriting(mebibytes: number): Promise<MovingAgent> {
  const words = (mebibytes * 2 ** 20 - 2 ** 19) / 8;
  const source = `import { Inbox, reply } from "@glia-os/guest-as/assembly";
export function glia_main(): i32 {
  const inbox = new Inbox();
  const answer = new Uint8Array(8);
  const state = new StaticArray<u64>(${words});
  let x: u64 = 88172645463325252;
  for (let i = 0; i < ${words}; i++) { x ^= x << 13; x ^= x >> 7; x ^= x << 17; state[i] = x; }
  while (true) {
    inbox.receive();
    for (let i = 0; i < 8192; i++) state[i] = rotl<u64>(state[i] + 77, 9);
    reply(answer);
  }
}`;
  const folder = mkdtempSync(join(tmpdir(), "glia-bench-"));
  try {
    writeFileSync(join(folder, "agent.ts"), source);
    const { bytes: module } = await instrument(await compileAssemblyScript(join(folder, "agent.ts")));
    return { module, memoryPages: (mebibytes + 2) * PAGES_PER_MEBIBYTE };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** In TypeScript, always computing: it is stopped in the middle of a statement. */
export async function computing(): Promise<MovingAgent> {
  const source = `import { sys } from "@glia-os/guest-js";
let [x, sum] = [1, 0];
const step = (n: number): number => {
  for (let i = 0; i < n; i++) sum = (sum + ((x = (x * 48271) % 2147483647) & 255)) % 1000003;
  return sum;
};
for (;;) {
  const total = step(200) + step(100);
  const message = sys.receive(0);
  if (message) message.reply(String(total));
}`;
  const { bytes: module, grants } = await buildAgent({ source, name: "agent.ts" });
  return { module, ...(grants === undefined ? {} : { grants }) };
}

/** A durable generator that answers from its journal; a checkpoint after every 1,000 outcomes. */
export function durable(): MovingAgent {
  const source = `export const program = {
  name: "answering",
  uses: ["cell"],
  run: (input) =>
    function* (sys, inbox, cell) {
      let total = typeof input === "number" ? input : 0;
      for (let n = 0; n < 1000; n++) {
        const { id, ask, payload } = yield* sys.receive(inbox);
        total += 1;
        if (ask) yield* sys.exec(cell, { reply: id, payload });
      }
      return yield* sys.checkpoint(total);
    },
};`;
  return { module: new TextEncoder().encode(source), kind: "domain" };
}
