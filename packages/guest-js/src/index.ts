/** The guest API: what an agent in TypeScript or JavaScript imports. It works only inside a guest; build one with `@glia-os/guest-js/build`. */
export {
  type AgentDefinition,
  defineAgent,
  GuestError,
  type GuestErrorCode,
  type Inbox,
  inbox,
  type LogLevel,
  type Message,
  onSpawn,
  type Sys,
  sys,
} from "./guest/index.ts";
