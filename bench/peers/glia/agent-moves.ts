/** Two processes between which an agent that computes without end is moved, again and again. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildAgent } from "@glia-os/guest-js/build";

const SOURCE = `
import { inbox } from "@glia-os/guest-js";
const words = new Map();
let n = 0;
await inbox.receive();
for (;;) {
  n++;
  const key = "k" + (n % 500);
  words.set(key, (words.get(key) ?? 0) + JSON.stringify({ n, list: [n, n + 1] }).length);
}
`;

/** Moves one agent to and fro. */
export interface Moves {
  /** One move: from the order to stop, in the middle of a statement, to the end of its first slice in the other process, in ms. */
  move(): Promise<number>;
  close(): void;
}

/** Start the processes and the agent. */
export async function moves(): Promise<Moves> {
  const folder = mkdtempSync(join(tmpdir(), "glia-moves-"));
  const path = join(folder, "agent.wasm");
  writeFileSync(path, (await buildAgent({ source: SOURCE, name: "agent.js" })).bytes);
  const child = (): ChildProcess =>
    fork(new URL("./agent-process.ts", import.meta.url), [path], {
      execArgv: ["--conditions=@glia-os/source", "--no-warnings"],
      serialization: "advanced",
    });
  const hosts = [child(), child()];
  await Promise.all(hosts.map((host) => once(host, "message")));
  let at = 0;
  const ask = async (order: object): Promise<{ op?: string; bytes?: Uint8Array }> => {
    const answer = once(hosts[at] as ChildProcess, "message");
    hosts[at]?.send(order);
    return (await answer)[0] as { op?: string; bytes?: Uint8Array };
  };
  await ask({ kind: "start" });
  return {
    async move() {
      // Somewhere in the loop, not always at the same statement.
      await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 10));
      const start = performance.now();
      const { op, bytes } = await ask({ kind: "freeze" });
      at = 1 - at;
      await ask({ kind: "resume", bytes });
      if (op !== "yield") throw new TypeError(`the agent was not in the middle of a statement but in ${op}`);
      return performance.now() - start;
    },
    close() {
      for (const host of hosts) host.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
