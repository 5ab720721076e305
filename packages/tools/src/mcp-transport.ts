/** How a server is reached: as a child process, or over HTTP. */
import { StreamableHTTPClientTransport, type Transport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { boundedFetch } from "./bounded-fetch.ts";
import { BadDefinitionError, ToolTooLargeError } from "./errors.ts";

/** A server that is started as a child process and speaks over its standard input and output. */
export interface StdioServer {
  readonly kind: "stdio";
  readonly command: string;
  readonly args?: readonly string[];
  /** All of its environment besides a few variables that every program needs, such as PATH. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A server behind an address (streamable HTTP). */
export interface HttpServer {
  readonly kind: "http";
  readonly url: string;
  /** Sent with every request: for credentials. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the platform's. Give one that is guarded where the address is not your own choice. */
  readonly fetch?: (url: string | URL, init?: RequestInit) => Promise<Response>;
}

/** A transport, and what the server wrote to its standard error last. */
export interface OpenTransport {
  readonly transport: Transport;
  readonly pid: () => number | undefined;
  readonly stderr: () => string;
}

const STDERR_UNITS = 4096;

/** Make the transport; nothing is started yet. @throws {BadDefinitionError} */
export function openTransport(
  name: string,
  server: StdioServer | HttpServer,
  messageBytes: number,
): OpenTransport {
  if (server.kind === "stdio") return overStdio(name, server, messageBytes);
  if (server.kind === "http") return overHttp(name, server, messageBytes);
  throw new BadDefinitionError(name, "its kind is neither stdio nor http");
}

function overStdio(
  name: string,
  { command, args, env, cwd }: StdioServer,
  messageBytes: number,
): OpenTransport {
  if (typeof command !== "string" || command === "") throw new BadDefinitionError(name, "it has no command");
  const transport = new ChildTransport({
    command,
    stderr: "pipe",
    maxBufferSize: messageBytes,
    ...(args === undefined ? {} : { args: [...args] }),
    ...(env === undefined ? {} : { env: { ...env } }),
    ...(cwd === undefined ? {} : { cwd }),
  });
  let last = "";
  transport.stderr?.on("data", (part: Uint8Array) => {
    last = (last + new TextDecoder().decode(part)).slice(-STDERR_UNITS);
  });
  return { transport, pid: () => transport.pid ?? undefined, stderr: () => last };
}

/**
 * A child process whose end every `close` waits for. The client closes by itself when connecting fails, without waiting; the transport's own second
 * `close` would then come back at once, and a process of ours that ends soon after would leave the child behind.
 */
class ChildTransport extends StdioClientTransport {
  #closing: Promise<void> | undefined;

  override start(): Promise<void> {
    this.#closing = undefined;
    return super.start();
  }

  override close(): Promise<void> {
    this.#closing ??= super.close();
    return this.#closing;
  }
}

function overHttp(
  name: string,
  { url, headers = {}, fetch = globalThis.fetch }: HttpServer,
  bytes: number,
): OpenTransport {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new BadDefinitionError(name, "its url is no address of http or https");
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { ...headers } },
    fetch: boundedFetch(fetch, bytes, () => new ToolTooLargeError(`a message of ${name}`, bytes)),
  });
  return { transport, pid: () => undefined, stderr: () => "" };
}
