/** A Glia node as a service. */
export { type ControlConnection, connectControl } from "./control-client.ts";
export { controlPath } from "./control-path.ts";
export { CONTROL_METHODS, type ControlServer, serveControl } from "./control-server.ts";
export * from "./errors.ts";
export type {
  AgentView,
  LinkStats,
  MemberView,
  MigrationPhase,
  MigrationReport,
  NodeApi,
  NodeRole,
  NodeStatus,
  SpawnRequest,
} from "./node-api.ts";
