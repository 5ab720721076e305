/**
 * Serves a node to local programs over its control socket.
 *
 * CS1. Only the user who runs the node can connect: the socket lies in a folder of mode 0700 and has mode 0600.
 * CS2. Only the methods of {@link CONTROL_METHODS} can be called, whatever a line asks for.
 * CS3. At most {@link CONNECTION_LIMIT} connections, and {@link CALLS_PER_CONNECTION} calls in flight on each.
 */
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { dirname } from "node:path";
import { toErrorRecord } from "@glia-os/abi/errors";
import { AGENTS_METHODS } from "./agents/agents-face.ts";
import { type ControlReply, type ControlRequest, decodeRequest, encodeLine } from "./control-line.ts";
import { readLines } from "./control-lines.ts";
import { controlPath } from "./control-path.ts";
import { ENDS_METHODS } from "./ends/ends-api.ts";
import { ControlMalformedError, ThreadBusyError } from "./errors.ts";
import { JOB_METHODS } from "./jobs/job-api.ts";
import { MOVEMENT_METHODS } from "./movement/movement-face.ts";
import type { NodeApi } from "./node-api.ts";
import { strategyIn } from "./node-call.ts";
import type { MigrateRequest } from "./node-views.ts";
import { QUEUE_METHODS } from "./queue/queue-api.ts";
import { UPGRADE_METHODS } from "./upgrade/upgrade-face.ts";

/** Most connections at once (CS3). */
export const CONNECTION_LIMIT = 64;
/** Most unanswered calls on one connection (CS3). */
export const CALLS_PER_CONNECTION = 256;

/** The methods a control socket offers (CS2). */
export type ControlMethod = Exclude<keyof NodeApi, "failed">;

/** The methods as a list (CS2). */
export const CONTROL_METHODS: readonly ControlMethod[] = [
  "status",
  "createJoinLine",
  "members",
  "ping",
  "route",
  "removeNode",
  "certificates",
  "rotateCertificate",
  "rotateClusterKey",
  "metrics",
  "submitJob",
  "putBlob",
  "getBlob",
  "listAgents",
  "survey",
  "logs",
  ...MOVEMENT_METHODS,
  ...JOB_METHODS,
  ...AGENTS_METHODS,
  ...QUEUE_METHODS,
  ...ENDS_METHODS,
  ...UPGRADE_METHODS,
  "spawn",
  "send",
  "ask",
  "flush",
  "migrate",
  "terminate",
  "stop",
];

type AnyMethod = (...args: unknown[]) => Promise<unknown>;

function isMethod(name: string): name is ControlMethod {
  return (CONTROL_METHODS as readonly string[]).includes(name);
}

/** A served control socket. */
export interface ControlServer {
  /** Where it listens. */
  readonly path: string;
  /** Stop serving, end connections and remove the socket. Idempotent. */
  close(): Promise<void>;
}

class Connection {
  readonly #node: NodeApi;
  readonly #socket: Socket;
  #inFlight = 0;

  constructor(node: NodeApi, socket: Socket) {
    this.#node = node;
    this.#socket = socket;
    socket.on("error", () => socket.destroy());
    readLines(
      socket,
      (line) => this.#take(line),
      (error) => this.#refuse(error),
    );
    void node.failed.then((error) => this.#write({ id: 0, error: toErrorRecord(error) }));
  }

  #write(reply: ControlReply): void {
    if (this.#socket.writable) this.#socket.write(encodeLine(reply));
  }

  #refuse(error: unknown): void {
    this.#write({ id: 0, error: toErrorRecord(error) });
    this.#socket.end();
  }

  #take(line: string): void {
    let request: ControlRequest;
    try {
      request = decodeRequest(line);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    void this.#perform(request);
  }

  async #perform({ id, method, args }: ControlRequest): Promise<void> {
    this.#inFlight++;
    try {
      if (!isMethod(method)) throw new ControlMalformedError(`there is no method ${JSON.stringify(method)}`);
      if (this.#inFlight > CALLS_PER_CONNECTION) throw new ThreadBusyError(CALLS_PER_CONNECTION);
      const progress = (value: unknown): void => this.#write({ id, progress: value });
      const call = this.#node[method] as AnyMethod;
      const result = await call.apply(
        this.#node,
        method === "migrate" ? [...args.slice(0, 2), migrateRequest(args[2], progress)] : [...args],
      );
      this.#write({ id, result });
    } catch (error) {
      this.#write({ id, error: toErrorRecord(error) });
    } finally {
      this.#inFlight--;
    }
  }
}

/** @throws {MalformedError} for a strategy that there is not. */
function migrateRequest(strategy: unknown, onPhase: (value: unknown) => void): MigrateRequest {
  return strategy === undefined ? { onPhase } : { onPhase, strategy: strategyIn(strategy) };
}

/** Serve `node` on the control socket of its data folder. A socket left by a dead process is replaced. */
export async function serveControl(node: NodeApi, dataDir: string): Promise<ControlServer> {
  const path = controlPath(dataDir);
  if (process.platform !== "win32") {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    rmSync(path, { force: true });
  }
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    new Connection(node, socket);
  });
  server.maxConnections = CONNECTION_LIMIT;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => resolve());
  });
  if (process.platform !== "win32") chmodSync(path, 0o600);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.end(() => socket.destroy());
    });
    return closing;
  };
  return { path, close };
}
