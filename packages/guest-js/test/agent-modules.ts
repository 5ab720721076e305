/** The engine and the test agents as modules, built once for each test process. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createWasmEngine, type WasmProgram } from "@glia-os/wasm";
import { beforeAll } from "vitest";
import { enginePath } from "../scripts/engine.ts";
import { type AgentModule, type BuildOptions, buildAgent } from "../src/module/index.ts";

const ENGINE_BUILD_MS = 300_000;
// Where the engine was not built before the tests, the first of them would wait for it.
beforeAll(async () => void (await engine()), ENGINE_BUILD_MS);

let bytes: Uint8Array | undefined;

/** The engine's bytes. */
export async function engine(): Promise<Uint8Array> {
  bytes ??= readFileSync(await enginePath());
  return bytes;
}

/** `test/agents/NAME.ts` as a module. */
export async function agentModule(name: string, options: BuildOptions = {}): Promise<AgentModule> {
  return buildAgent(
    { entry: join(import.meta.dirname, "agents", `${name}.ts`) },
    { engine: await engine(), ...options },
  );
}

/** A program from source text, built and admitted. */
export async function inline(source: string, options: BuildOptions = {}): Promise<AgentModule> {
  return buildAgent({ source, folder: import.meta.dirname }, { engine: await engine(), ...options });
}

/** A module admitted with what it asks for. */
export async function admitted(module: AgentModule): Promise<WasmProgram> {
  return createWasmEngine().admit(module.bytes, module.grants);
}
