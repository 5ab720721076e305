/** What an agent in TypeScript or JavaScript imports. Works only inside a guest. */
export { type AgentDefinition, defineAgent } from "./agent.ts";
export { GuestError, type GuestErrorCode } from "./errors.ts";
export { type Inbox, inbox } from "./inbox.ts";
export type { Message } from "./message.ts";
export { onSpawn } from "./spawn.ts";
export { type LogLevel, type Sys, sys } from "./sys.ts";
