/** `glia/config`: what a `glia.config.ts` imports, and nothing that it does not need. */
export { type AgentConfig, defineConfig, type GliaConfig } from "@glia-os/daemon/config";
