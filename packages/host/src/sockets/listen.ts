/**
 * A listening socket as a resource: `readFrom` gives the handle of the next connection.
 *
 * N5. At most `backlog` accepted connections wait for a task; what comes beyond is closed at once and counted.
 * N6. Closing the resource closes the listening socket and every connection no task has taken.
 */
import { createServer, type Server, type Socket } from "node:net";
import type { Device, Handle, Kernel, Resource } from "@glia-os/kernel";
import { BadOptionError, SocketFailedError } from "../errors.ts";
import { connectionResource } from "./connection.ts";

/** Where to listen. */
export interface ListenOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** 0 to 65,535; default 0: a free one. */
  readonly port?: number;
  /** Connections that may wait for a task: 1 to 65,535; default 511. */
  readonly backlog?: number;
}

/** A listening socket. */
export interface Listening {
  /** The shell's handle, to give to tasks. */
  readonly handle: Handle;
  /** The port it listens on. */
  readonly port: number;
  /** Connections closed because too many waited (N5). */
  readonly refused: number;
  /** Stop listening (N6). */
  close(): void;
}

const BACKLOG = 511;
const PORT_MOST = 65_535;

class Listener implements Device {
  readonly name: string;
  refused = 0;
  readonly #kernel: Kernel;
  readonly #server: Server;
  readonly #backlog: number;
  readonly #waiting: Resource[] = [];
  #resource: Resource | undefined;

  constructor(kernel: Kernel, server: Server, name: string, backlog: number) {
    this.name = name;
    this.#kernel = kernel;
    this.#server = server;
    this.#backlog = backlog;
  }

  follow(resource: Resource): void {
    this.#resource = resource;
    this.#server.on("connection", (socket) => this.#arrived(socket));
    this.#server.on("error", (error) => resource.close(new SocketFailedError(this.name, error)));
  }

  read(): Resource | undefined {
    let next = this.#waiting.shift();
    while (next?.closed === true) next = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#resource?.setReadable(false);
    return next;
  }

  close(): void {
    this.#server.close();
    for (const connection of this.#waiting.splice(0)) connection.close();
  }

  #arrived(socket: Socket): void {
    if (this.#resource?.closed !== false || this.#waiting.length >= this.#backlog) {
      this.refused++;
      socket.destroy();
      return;
    }
    this.#waiting.push(connectionResource(this.#kernel, socket));
    this.#resource.setReadable(true);
  }
}

function checked(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new BadOptionError(option, value, `a whole number from ${least} to ${most}`);
}

/** Listen on an address. @throws {BadOptionError} {SocketFailedError} when the system refuses. */
export async function listen(kernel: Kernel, options: ListenOptions = {}): Promise<Listening> {
  const host = options.host ?? "127.0.0.1";
  const port = checked("port", options.port ?? 0, 0, PORT_MOST);
  const backlog = checked("backlog", options.backlog ?? BACKLOG, 1, PORT_MOST);
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: false });
  await new Promise<void>((resolve, reject) => {
    const refused = (error: Error): void => reject(new SocketFailedError(`${host}:${port}`, error));
    server.once("error", refused);
    server.listen({ host, port }, () => {
      server.removeListener("error", refused);
      resolve();
    });
  });
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  const listener = new Listener(kernel, server, `listener ${host}:${bound}`, backlog);
  const resource = kernel.resource(listener);
  listener.follow(resource);
  return {
    handle: kernel.open(resource),
    port: bound,
    get refused() {
      return listener.refused;
    },
    close: () => resource.close(),
  };
}
