/** Agents to be upgraded by the suite `upgrades`: each counts its messages and answers with the count. The next code is the same in another version. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agent } from "@glia-os/cells/agent";
import type { AgentModuleFile } from "@glia-os/daemon";
import { compileAssemblyScript } from "@glia-os/guest-as/build";
import { buildAgent } from "@glia-os/guest-js/build";
import { instrument } from "@glia-os/wasm/pipeline";
import { build } from "esbuild";

/** The definition by which it is asked. */
export const counter = agent({
  name: "counter",
  state: () => ({ count: 0 }),
  on: { add: { handle: (ctx, _n: number) => ++ctx.state.count } },
});

/** One agent: its module, and that of its next code. */
export interface UpgradedAgent {
  readonly modules: readonly [AgentModuleFile, AgentModuleFile];
  /** It takes bytes, not messages of `agent()`. */
  readonly plain?: true;
}

const sourceOf = (version: number): string => `import { agent } from "@glia-os/cells/agent";
export default agent({
  name: "counter",
  version: ${version},
  state: () => ({ count: 0 }),
  codeChange: (state) => state,
  on: { add: { handle: (ctx) => ++ctx.state.count } },
});`;

/** In TypeScript, in the sandbox. */
export async function typescript(): Promise<UpgradedAgent> {
  const made = (version: number): Promise<AgentModuleFile> =>
    buildAgent({ source: sourceOf(version), folder: import.meta.dirname });
  return { modules: await Promise.all([made(1), made(2)]) };
}

/** In TypeScript, durable. */
export async function durable(): Promise<UpgradedAgent> {
  const made = async (version: number): Promise<AgentModuleFile> => {
    const { outputFiles } = await build({
      stdin: { contents: sourceOf(version), resolveDir: import.meta.dirname },
      conditions: ["@glia-os/source"],
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
    });
    return {
      bytes: outputFiles[0]?.contents ?? new Uint8Array(),
      grants: ["service/agents"],
      kind: "domain",
    };
  };
  return { modules: await Promise.all([made(1), made(2)]) };
}

/** In AssemblyScript. */
export async function assemblyScript(): Promise<UpgradedAgent> {
  const made = async (version: number): Promise<AgentModuleFile> => {
    const source = `import { reply } from "@glia-os/guest-as/assembly";
import { Upgradable } from "@glia-os/guest-as/assembly/upgrade";
export { glia_upgrade } from "@glia-os/guest-as/assembly/upgrade";

class Counter extends Upgradable {
  count: u64 = 0;
  constructor() { super("counter", ${version}); }
  save(): Uint8Array {
    const state = new Uint8Array(8);
    store<u64>(state.dataStart, this.count);
    return state;
  }
  codeChange(state: Uint8Array, fromVersion: i32): string | null {
    this.count = load<u64>(state.dataStart);
    return null;
  }
}

export function glia_main(): i32 {
  const counter = new Counter();
  const answer = new Uint8Array(8);
  while (true) {
    counter.receive();
    counter.count += 1;
    store<u64>(answer.dataStart, counter.count);
    reply(answer);
  }
}`;
    const folder = mkdtempSync(join(tmpdir(), "glia-bench-"));
    try {
      writeFileSync(join(folder, "agent.ts"), source);
      const { bytes } = await instrument(await compileAssemblyScript(join(folder, "agent.ts")));
      return { bytes, grants: [] };
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  return { modules: [await made(1), await made(2)], plain: true };
}
