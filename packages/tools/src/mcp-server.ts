/**
 * The tools of an MCP server, through the official client (both eras of the protocol: 2025-11-25 and 2026-07-28).
 *
 * MC1. A tool is taken by name with the definition that the server gave then. When the server changes it, calls are refused until it is
 *      taken anew: what was looked at is what is called.
 * MC2. Inputs are checked against the tool's schema before they are sent, answers against its output schema before they are given out; both,
 *      messages and listings are bounded.
 * MC3. A cancelled or late call is told to the server and fails here at once. Closing fails every call that is out, ends the child
 *      process, and leaves no timer and no socket.
 * MC4. What a server says about itself is data: no description or annotation of it gives a right.
 */
import type { CancelSignal } from "@glia-os/abi/ports";
import { Client, SdkError, SdkErrorCode, type Tool as WireTool } from "@modelcontextprotocol/client";
import { type CheckedTool, checkedInput, checkedOutput, checkLimit } from "./checked-tool.ts";
import {
  BadDefinitionError,
  ConnectFailedError,
  ConnectionClosedError,
  RemoteToolError,
  ToolChangedError,
  ToolFailedError,
  ToolTimeoutError,
  ToolTooLargeError,
  UnknownToolError,
} from "./errors.ts";
import { type HttpServer, type OpenTransport, openTransport, type StdioServer } from "./mcp-transport.ts";
import { type JsonSchema, SchemaCheck } from "./schema.ts";

/** How a server is connected to. */
export interface McpOptions {
  /** For people, and before the names of its tools in errors: 1 to 64 characters. */
  readonly name: string;
  readonly server: StdioServer | HttpServer;
  /** Time for a call, and for connecting: 1 to 86,400,000 ms, default 60,000. */
  readonly timeoutMs?: number;
  /** Bytes of one message of the server: 1 to 268,435,456, default 10,485,760. */
  readonly messageBytes?: number;
  /** Characters of JSON of an input, and of an answer: 1 to 16,777,216, default 1,048,576. */
  readonly inputLimit?: number;
  readonly outputLimit?: number;
}

/** What a tool of a server answered. */
export interface McpAnswer {
  /** Texts, images and resources, as the server sent them. */
  readonly content: readonly Readonly<Record<string, unknown>>[];
  /** For tools with an output schema. */
  readonly structured?: unknown;
}

/** A tool of a server, as the server describes it. */
export interface McpToolFacts {
  readonly name: string;
  readonly description: string;
  readonly input: JsonSchema;
  readonly output: JsonSchema | undefined;
}

/** A connection to a server. */
export interface McpServer {
  readonly name: string;
  /** The child process, if it is one that runs. */
  readonly pid: number | undefined;
  /** Its tools, sorted by name. Asks the server. @throws {RemoteToolError} {ConnectionClosedError} {BadDefinitionError} */
  list(): Promise<readonly McpToolFacts[]>;
  /** One of its tools, to be offered with `toolService`; answers are {@link McpAnswer}s. @throws {UnknownToolError} and as `list` */
  tool(name: string): Promise<CheckedTool>;
  /** End it. Calls that are out fail with `tools.closed`. A second time waits for the same end. */
  close(): Promise<void>;
}

const TOOLS_MOST = 1024;
const LIMIT = 1_048_576;
const MESSAGE_BYTES = 10_485_760;
const TIMEOUT_MS = 60_000;
const CLIENT = { name: "glia", version: "0.1.0" };

/** Connect to a server; a child process is started. @throws {BadDefinitionError} {ConnectFailedError} */
export async function connectMcpServer(options: McpOptions): Promise<McpServer> {
  const { name, server, timeoutMs = TIMEOUT_MS, messageBytes = MESSAGE_BYTES } = options;
  if (typeof name !== "string" || name === "" || name.length > 64)
    throw new BadDefinitionError("an MCP server", "its name is no text of 1 to 64 characters");
  checkLimit(name, "timeoutMs", timeoutMs, 86_400_000);
  checkLimit(name, "messageBytes", messageBytes, 268_435_456);
  checkLimit(name, "inputLimit", options.inputLimit ?? LIMIT, 16_777_216);
  checkLimit(name, "outputLimit", options.outputLimit ?? LIMIT, 16_777_216);
  const open = openTransport(name, server, messageBytes);
  const connection = new Connection(options, timeoutMs, open);
  await connection.connect();
  return connection;
}

class Connection implements McpServer {
  readonly name: string;
  readonly #options: McpOptions;
  readonly #timeoutMs: number;
  readonly #open: OpenTransport;
  readonly #client: Client;
  /** The server said that its tools changed, and nobody looked since. */
  #stale = false;
  #definitions = new Map<string, string>();
  #closed = false;
  #closing: Promise<void> | undefined;

  constructor(options: McpOptions, timeoutMs: number, open: OpenTransport) {
    this.name = options.name;
    this.#options = options;
    this.#timeoutMs = timeoutMs;
    this.#open = open;
    const changed = { autoRefresh: false, debounceMs: 0, onChanged: () => void (this.#stale = true) };
    this.#client = new Client(CLIENT, {
      versionNegotiation: { mode: "auto" },
      listChanged: { tools: changed },
      inputRequired: { autoFulfill: false },
    });
    this.#client.onclose = () => {
      this.#closed = true;
    };
  }

  get pid(): number | undefined {
    return this.#closed ? undefined : this.#open.pid();
  }

  async connect(): Promise<void> {
    try {
      await this.#client.connect(this.#open.transport, { timeout: this.#timeoutMs });
    } catch (error) {
      const failed = new ConnectFailedError(this.name, error, this.#open.stderr());
      await this.close();
      throw failed;
    }
  }

  async list(): Promise<readonly McpToolFacts[]> {
    const wire = await this.#wireTools();
    return wire.map(factsOf).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async tool(name: string): Promise<CheckedTool> {
    const found = (await this.#wireTools()).find((tool) => tool.name === name);
    if (found === undefined) throw new UnknownToolError(this.name, name);
    const facts = factsOf(found);
    const shown = `${this.name}/${name}`;
    const pinned = JSON.stringify(facts);
    const input = new SchemaCheck(shown, "input", facts.input);
    const output = facts.output === undefined ? undefined : new SchemaCheck(shown, "output", facts.output);
    const { inputLimit = LIMIT, outputLimit = LIMIT } = this.#options;
    return {
      ...facts,
      run: async (given, cancel) => {
        const args = checkedInput(shown, input, given, inputLimit);
        await this.#expectPinned(shown, name, pinned);
        const answer = await this.#call(shown, found, args, cancel);
        if (answer.structured === undefined && output !== undefined)
          checkedOutput(shown, output, null, outputLimit);
        if (output !== undefined) checkedOutput(shown, output, answer.structured, outputLimit);
        return checkedOutput(shown, undefined, answer, outputLimit);
      },
    };
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#closing ??= this.#client.close().then(() => this.#open.transport.close());
    return this.#closing;
  }

  async #wireTools(): Promise<readonly WireTool[]> {
    this.#expectOpen();
    let tools: readonly WireTool[];
    try {
      this.#stale = false;
      ({ tools } = await this.#client.listTools(undefined, {
        timeout: this.#timeoutMs,
        cacheMode: "refresh",
      }));
    } catch (error) {
      throw this.#failure(this.name, error);
    }
    if (tools.length > TOOLS_MOST)
      throw new BadDefinitionError(this.name, `it has more than ${TOOLS_MOST} tools`);
    this.#definitions = new Map(tools.map((tool) => [tool.name, JSON.stringify(factsOf(tool))]));
    return tools;
  }

  /** MC1. */
  async #expectPinned(shown: string, name: string, pinned: string): Promise<void> {
    this.#expectOpen();
    if (this.#stale) await this.#wireTools();
    if (this.#definitions.get(name) !== pinned) throw new ToolChangedError(shown);
  }

  async #call(shown: string, tool: WireTool, args: unknown, cancel: CancelSignal): Promise<McpAnswer> {
    const stop = new AbortController();
    const forget = cancel.onCancel((reason) => stop.abort(reason));
    const { outputSchema: _, ...definition } = tool;
    try {
      const result = await this.#client.callTool(
        { name: tool.name, arguments: args as Record<string, unknown> },
        { signal: stop.signal, timeout: this.#timeoutMs, toolDefinition: definition },
      );
      const content = result.content as readonly Readonly<Record<string, unknown>>[];
      if (result.isError === true) throw new ToolFailedError(shown, textOf(content));
      const { structuredContent: structured } = result;
      return structured === undefined ? { content } : { content, structured };
    } catch (error) {
      throw this.#failure(shown, error);
    } finally {
      forget();
    }
  }

  #failure(shown: string, error: unknown): unknown {
    if (error instanceof ToolFailedError || error instanceof ToolTooLargeError) return error;
    if (this.#closed) return new ConnectionClosedError(this.name, error);
    if (error instanceof SdkError) {
      if (error.code === SdkErrorCode.RequestTimeout) return new ToolTimeoutError(shown, this.#timeoutMs);
      if (error.code === SdkErrorCode.ConnectionClosed || error.code === SdkErrorCode.NotConnected)
        return new ConnectionClosedError(this.name, error);
    }
    return new RemoteToolError(shown, error);
  }

  #expectOpen(): void {
    if (this.#closed) throw new ConnectionClosedError(this.name);
  }
}

function factsOf({ name, description = "", inputSchema, outputSchema }: WireTool): McpToolFacts {
  const output = outputSchema as JsonSchema | undefined;
  return { name, description, input: inputSchema as JsonSchema, output };
}

function textOf(content: readonly Readonly<Record<string, unknown>>[]): string {
  return content.map(({ text }) => (typeof text === "string" ? text : "")).join("\n");
}
