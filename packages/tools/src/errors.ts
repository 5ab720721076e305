/** One class per refusal of tools. What each changed and what to do stands in the code table of `abi`. */
import { ToolsError } from "@glia-os/abi/errors/tools";

const SHOWN_MOST = 1000;

/** A definition of a tool, or an option of a connection, that cannot be used. */
export class BadDefinitionError extends ToolsError<"tools.bad-definition"> {
  constructor(tool: string, why: string) {
    super("tools.bad-definition", `${tool.slice(0, 200)} cannot be used: ${why}`, { details: { tool, why } });
  }
}

/** The input of a call does not fit the schema. */
export class InvalidInputError extends ToolsError<"tools.invalid-input"> {
  constructor(tool: string, where: string, why: string) {
    super("tools.invalid-input", `the input of ${tool} is refused at ${where}: ${why}`, {
      details: { tool, where, why },
    });
  }
}

/** What a tool answered does not fit its schema, or is no plain data. */
export class InvalidOutputError extends ToolsError<"tools.invalid-output"> {
  constructor(tool: string, where: string, why: string) {
    super("tools.invalid-output", `the answer of ${tool} is refused at ${where}: ${why}`, {
      details: { tool, where, why },
    });
  }
}

/** An input or an answer is beyond its limit. */
export class ToolTooLargeError extends ToolsError<"tools.too-large"> {
  constructor(what: string, limit: number) {
    super("tools.too-large", `${what} has more than ${limit} characters of JSON`, {
      details: { what, limit },
    });
  }
}

/** A call took longer than it may. */
export class ToolTimeoutError extends ToolsError<"tools.timeout"> {
  constructor(tool: string, timeoutMs: number) {
    super("tools.timeout", `${tool} did not answer within ${timeoutMs} ms`, { details: { tool, timeoutMs } });
  }
}

/** A tool says that it failed. */
export class ToolFailedError extends ToolsError<"tools.failed"> {
  constructor(tool: string, said: string) {
    super("tools.failed", `${tool} failed: ${said.slice(0, SHOWN_MOST)}`, { details: { tool } });
  }
}

/** A server has no tool of a name. */
export class UnknownToolError extends ToolsError<"tools.unknown"> {
  constructor(server: string, tool: string) {
    super("tools.unknown", `${server} has no tool ${JSON.stringify(tool.slice(0, 200))}`, {
      details: { server, tool },
    });
  }
}

/** A server says something else of a tool than when it was taken. */
export class ToolChangedError extends ToolsError<"tools.changed"> {
  constructor(tool: string) {
    super("tools.changed", `${tool} is not what it was when it was taken`, { details: { tool } });
  }
}

/** A connection is closed. */
export class ConnectionClosedError extends ToolsError<"tools.closed"> {
  constructor(server: string, cause?: unknown) {
    super("tools.closed", `the connection to ${server} is closed`, { cause, details: { server } });
  }
}

/** No connection could be made. */
export class ConnectFailedError extends ToolsError<"tools.connect-failed"> {
  constructor(server: string, cause: unknown, stderr: string) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super("tools.connect-failed", `no connection to ${server}: ${why.slice(0, SHOWN_MOST)}`, {
      cause,
      details: { server, stderr },
    });
  }
}

/** A server refused a call, or broke. */
export class RemoteToolError extends ToolsError<"tools.remote"> {
  constructor(tool: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const remote = (cause as { code?: unknown } | null)?.code;
    super("tools.remote", `the server of ${tool} says: ${why.slice(0, SHOWN_MOST)}`, {
      cause,
      details: {
        tool,
        remote: typeof remote === "number" || typeof remote === "string" ? remote : undefined,
      },
    });
  }
}
