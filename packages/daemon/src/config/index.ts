/** The configuration of a node: its type, its checks, what the environment says above it. Loads nothing else of a node. */
export { type CheckedConfig, checkConfig } from "./check-config.ts";
export { type Problem, problemLine } from "./check-shape.ts";
export { type ConfigChanges, configChanges } from "./config-changes.ts";
export { CONFIG_SHAPE, MESH_CHOICES } from "./config-shape.ts";
export { CONFIG_VARIABLES, type ConfigVariable } from "./environment.ts";
export { ConfigInvalidError } from "./errors.ts";
export { type AgentConfig, CONFIG_VERSION, defineConfig, type GliaConfig } from "./glia-config.ts";
export { nearestWord } from "./nearest-word.ts";
