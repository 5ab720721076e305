/** Connections that the shell opens and gives to tasks. A task cannot name an address: reaching one is authority (law 1). */
import { connect as dial } from "node:net";
import type { Handle, Kernel } from "@glia-os/kernel";
import { BadOptionError, SocketFailedError } from "../errors.ts";
import { connectionResource } from "./connection.ts";

/** Where to connect to. */
export interface ConnectOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** 1 to 65,535. */
  readonly port: number;
  /** Longest wait in milliseconds: 1 to 600,000; default 10,000. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const TIMEOUT_MOST_MS = 600_000;

/** Connect; gives the shell's handle to the connection. @throws {BadOptionError} {SocketFailedError} */
export async function connect(kernel: Kernel, options: ConnectOptions): Promise<Handle> {
  const { host = "127.0.0.1", port, timeoutMs = TIMEOUT_MS } = options;
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new BadOptionError("port", port, "a whole number from 1 to 65535");
  if (!(timeoutMs >= 1 && timeoutMs <= TIMEOUT_MOST_MS))
    throw new BadOptionError("timeoutMs", timeoutMs, `from 1 to ${TIMEOUT_MOST_MS}`);
  const socket = dial({ host, port, allowHalfOpen: true });
  const name = `${host}:${port}`;
  await new Promise<void>((resolve, reject) => {
    const failed = (error: unknown): void => {
      socket.destroy();
      reject(new SocketFailedError(name, error));
    };
    socket.once("error", failed);
    socket.setTimeout(timeoutMs, () => failed(`no answer within ${timeoutMs} ms`));
    socket.once("connect", () => {
      socket.removeListener("error", failed);
      socket.setTimeout(0);
      resolve();
    });
  });
  return kernel.open(connectionResource(kernel, socket));
}
