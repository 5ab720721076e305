/** A node seen through its control socket. */
import { connect, type Socket } from "node:net";
import { RemoteError } from "@glia-os/abi/errors";
import { type ControlReply, decodeReply, encodeLine } from "./control-line.ts";
import { readLines } from "./control-lines.ts";
import { controlPath } from "./control-path.ts";
import { CONTROL_METHODS } from "./control-server.ts";
import { ControlClosedError, NotRunningError } from "./errors.ts";
import type { NodeApi } from "./node-api.ts";
import type { MigrateRequest } from "./node-views.ts";

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly progress: ((value: unknown) => void) | undefined;
}

/** A connected control socket: the node's whole face, and a way to let go of it without stopping the node. */
export type ControlConnection = NodeApi & {
  /** Close the connection; the node goes on. Idempotent. */
  close(): Promise<void>;
};

class ControlClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly failed: Promise<Error>;
  #fail: (error: Error) => void = () => {};
  #lastId = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#end());
    readLines(
      socket,
      (line) => this.#take(line),
      () => socket.destroy(),
    );
  }

  call(method: string, args: readonly unknown[], progress?: (value: unknown) => void): Promise<unknown> {
    if (!this.#socket.writable) return Promise.reject(new ControlClosedError());
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, progress });
      this.#socket.write(encodeLine({ id, method, args }));
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed) resolve();
      else this.#socket.once("close", () => resolve()).end(() => this.#socket.destroy());
    });
  }

  #take(line: string): void {
    let reply: ControlReply;
    try {
      reply = decodeReply(line);
    } catch {
      this.#socket.destroy();
      return;
    }
    const caller = this.#waiting.get(reply.id);
    if (caller === undefined) {
      if ("error" in reply) this.#fail(new RemoteError(reply.error));
    } else if ("progress" in reply) caller.progress?.(reply.progress);
    else {
      this.#waiting.delete(reply.id);
      if ("error" in reply) caller.reject(new RemoteError(reply.error));
      else caller.resolve(reply.result);
    }
  }

  #end(): void {
    for (const caller of this.#waiting.values()) caller.reject(new ControlClosedError());
    this.#waiting.clear();
  }
}

function open(dataDir: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(controlPath(dataDir));
    socket.once("error", (cause) => reject(new NotRunningError(dataDir, cause)));
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}

/** Connect to the node with this data folder. @throws {NotRunningError} when none serves it. */
export async function connectControl(dataDir: string): Promise<ControlConnection> {
  const client = new ControlClient(await open(dataDir));
  const face: Record<string, unknown> = { failed: client.failed, close: () => client.close() };
  for (const method of CONTROL_METHODS) face[method] = (...args: unknown[]) => client.call(method, args);
  face["migrate"] = (agent: string, to: string, { strategy, onPhase }: MigrateRequest = {}) =>
    client.call(
      "migrate",
      strategy === undefined ? [agent, to] : [agent, to, strategy],
      onPhase as ((value: unknown) => void) | undefined,
    );
  return face as unknown as ControlConnection;
}
