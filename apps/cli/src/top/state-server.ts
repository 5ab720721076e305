/**
 * Offers the state of a running program to `glia top`, on a Unix socket of this process.
 *
 * SS1. Only the user who runs the program can connect: the folder has mode 0700 and the socket 0600. It answers one question and takes no orders.
 * SS2. It never keeps the process alive, never fails the program, and is removed when the process ends in whatever way that runs code.
 * SS3. At most {@link CONNECTIONS} connections, and {@link QUESTION_BYTES} per question; no question is answered while an answer is on its way.
 */
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { KernelDump } from "@glia-os/kernel";
import { runFolder, runSocket, useRunFolder } from "./run-folder.ts";
import { ASK_STATE, boundedDump, type StateView } from "./state-view.ts";

/** Connections at once (SS3). */
export const CONNECTIONS = 8;
/** Longest question (SS3). */
export const QUESTION_BYTES = 64;

/** An offer; `close` withdraws it. */
export interface OfferedState {
  close(): void;
}

/** Offer the state of the program `file` (SS1 to SS3). Where that cannot be done nothing is offered. */
export async function offerState(
  file: string,
  args: readonly string[],
  dump: () => KernelDump,
): Promise<OfferedState> {
  const folder = runFolder();
  if (process.platform === "win32" || !useRunFolder(folder)) return { close: () => undefined };
  const path = runSocket(folder, process.pid);
  rmSync(path, { force: true });
  const startedMs = performance.now();
  const view = (): StateView => ({
    pid: process.pid,
    file,
    args,
    uptimeMs: Math.round(performance.now() - startedMs),
    rssBytes: process.memoryUsage.rss(),
    state: boundedDump(dump()),
  });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    serve(socket, view);
  });
  server.maxConnections = CONNECTIONS;
  if (!(await listens(server, path))) return { close: () => undefined };
  const remove = (): void => rmSync(path, { force: true });
  process.once("exit", remove);
  const close = (): void => {
    process.off("exit", remove);
    remove();
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { close };
}

async function listens(server: Server, path: string): Promise<boolean> {
  const listening = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(path, () => resolve(true));
  });
  if (!listening) return false;
  server.on("error", () => undefined);
  server.unref();
  chmodSync(path, 0o600);
  return true;
}

/** Answer questions on one connection (SS3). */
function serve(socket: Socket, view: () => StateView): void {
  let asked = "";
  let answering = false;
  socket.unref();
  socket.setEncoding("utf8");
  socket.on("error", () => socket.destroy());
  socket.on("data", (text: string) => {
    asked += text;
    if (asked.length > QUESTION_BYTES) return void socket.destroy();
    if (answering || !asked.includes("\n")) return;
    if (asked !== `${ASK_STATE}\n`) return void socket.destroy();
    asked = "";
    answering = true;
    socket.write(`${JSON.stringify(view())}\n`, () => {
      answering = false;
    });
  });
}
