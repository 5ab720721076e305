/** `@glia-os/tools`: tools with checked inputs and answers, and the tools of MCP servers. */
export { type CheckedTool, defineTool, offerOf, type ToolDefinition } from "./checked-tool.ts";
export {
  BadDefinitionError,
  ConnectFailedError,
  ConnectionClosedError,
  InvalidInputError,
  InvalidOutputError,
  RemoteToolError,
  ToolChangedError,
  ToolFailedError,
  ToolTimeoutError,
  ToolTooLargeError,
  UnknownToolError,
} from "./errors.ts";
export {
  connectMcpServer,
  type McpAnswer,
  type McpOptions,
  type McpServer,
  type McpToolFacts,
} from "./mcp-server.ts";
export type { HttpServer, StdioServer } from "./mcp-transport.ts";
export type { JsonSchema } from "./schema.ts";
