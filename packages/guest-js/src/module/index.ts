/** Makes one WebAssembly module of an agent in TypeScript or JavaScript. */
export {
  AgentFailedError,
  AgentTooBigError,
  BuildLimitError,
  BundleFailedError,
  EngineMismatchError,
  EngineMissingError,
  EsbuildMissingError,
} from "../errors.ts";
export { type AgentModule, type BuildOptions, buildAgent, buildScript } from "./agent-module.ts";
export { type AgentSource, type Bundle, bundleAgent } from "./bundle.ts";
export { enginePath } from "./engine-file.ts";
export { positionMapper } from "./positions.ts";
export { CODE_BYTES_MAX, type StartAt } from "./start.ts";
