/** From an agent's source to one module that a node runs like any other guest. */
import { createHash } from "node:crypto";
import { HOST_MODULE, SYS_MODULE } from "@glia-os/abi/wire";
import { createWasmEngine, type WasmProgram } from "@glia-os/wasm";
import { AgentFailedError } from "../errors.ts";
import { AGENTS_GRANT } from "../guest/agents-grant.ts";
import { type AgentSource, bundleAgent } from "./bundle.ts";
import { engineBytes } from "./engine-file.ts";
import { positionMapper } from "./positions.ts";
import { presetModule } from "./preset.ts";
import { type StartAt, startAgent } from "./start.ts";
import { withoutImports } from "./without-imports.ts";

/** How to build. */
export interface BuildOptions {
  /**
   * When the top of the program runs. `auto` (default): when the module is built, unless it waits or ends there; then at every
   * spawn. `build`: refuse such a program. `spawn`: at every spawn.
   */
  readonly start?: StartAt | "auto";
  /** Shorten the code. Default false. */
  readonly minify?: boolean;
  /** Most slices of about a millisecond the top of the program may take at build time. Default 10,000. */
  readonly slices?: number;
  /** Most memory at build time in 64 KiB pages. Default 2048 (128 MiB). */
  readonly memoryPages?: number;
  /** The engine to use instead of the one this package ships. */
  readonly engine?: Uint8Array;
}

/** An agent as a module. */
export interface AgentModule {
  /** The module: the engine with the agent in it, instrumented. Admit it with {@link grants}. */
  readonly bytes: Uint8Array;
  /**
   * What it is to be granted: the modules it imports from, `glia.v1`, and `glia.sys.v1` when it uses `fetch` or speaks with other agents, and
   * `service/agents` for the latter.
   */
  readonly grants: readonly string[];
  /** SHA-256 of it, as hexadecimal. */
  readonly hash: string;
  /** The source map of the bundle as JSON, for {@link positionMapper}. Empty for a script without one. */
  readonly map: string;
  /** When the top of the program runs. */
  readonly startedAt: StartAt;
  /** What the program logged when it was started at build time, as `level text`. */
  readonly log: readonly string[];
  readonly warnings: readonly string[];
}

const engines = new WeakMap<Uint8Array, Promise<WasmProgram>>();

/**
 * Bundle an agent with esbuild (an optional peer) and make its module.
 * @throws EsbuildMissingError, BundleFailedError, AgentFailedError with positions in the agent's sources, and what
 * {@link buildScript} throws
 */
export async function buildAgent(source: AgentSource, options: BuildOptions = {}): Promise<AgentModule> {
  const { code, map, warnings } = await bundleAgent(source, options.minify);
  return { ...(await moduleOf(code, map, options)), warnings };
}

/**
 * Make a module of a script that is bundled already: one module of JavaScript that registers itself through `@glia-os/guest-js/globals`.
 * @throws AgentFailedError, AgentTooBigError, BuildLimitError, EngineMissingError, EngineMismatchError
 */
export async function buildScript(code: string, options: BuildOptions = {}): Promise<AgentModule> {
  return moduleOf(code, "", options);
}

async function moduleOf(code: string, map: string, options: BuildOptions): Promise<AgentModule> {
  const { slices = 10_000, memoryPages = 2048, start = "auto" } = options;
  const bytes = options.engine ?? engineBytes();
  const mapped = map === "" ? (text: string) => text : positionMapper(map);
  try {
    const source = new TextEncoder().encode(code);
    const started = startAgent(await admitted(bytes), source, start, { slices, memoryPages });
    // The part of the guest API that asks the outside says so in words, and is in a bundle only when it is used.
    const asks = code.includes(SYS_MODULE);
    const speaks = code.includes(AGENTS_GRANT);
    const preset = presetModule(bytes, started.image);
    const made = asks ? preset : withoutImports(preset, SYS_MODULE);
    const hash = createHash("sha256").update(made).digest("hex");
    return {
      bytes: made,
      grants: [HOST_MODULE, ...(asks ? [SYS_MODULE] : []), ...(speaks ? [AGENTS_GRANT] : [])],
      hash,
      map,
      startedAt: started.startedAt,
      log: started.log.map(mapped),
      warnings: [],
    };
  } catch (error) {
    throw error instanceof AgentFailedError ? error.mapped(mapped) : error;
  }
}

/** The engine as a program, compiled once for each array of bytes. */
function admitted(bytes: Uint8Array): Promise<WasmProgram> {
  const known = engines.get(bytes);
  if (known !== undefined) return known;
  const made = createWasmEngine({ moduleBytes: bytes.length }).admit(bytes, [HOST_MODULE, SYS_MODULE]);
  engines.set(bytes, made);
  return made;
}
