/**
 * A TCP or local socket as a resource of the kernel.
 *
 * N1. At most the socket's high-water mark (64 KiB) is read ahead: a task that does not read holds its peer back.
 * N2. `readFrom` gives bytes, and an empty array once the peer has ended; `undefined` when there is nothing yet.
 * N3. A write is refused (0 bytes taken) while the socket asks for time; it never buffers without bound.
 * N4. A socket that failed closes its resource with {@link SocketFailedError}; one that ended with {@link SocketClosedError}.
 */
import type { Socket } from "node:net";
import type { Device, Kernel, Resource } from "@glia-os/kernel";
import { NotBytesError, SocketClosedError, SocketFailedError } from "../errors.ts";

/** Most bytes one write takes, so that a huge buffer leaves in parts and others get their turn. */
const WRITE_BYTES = 65_536;
const NOTHING = new Uint8Array(0);

class Connection implements Device {
  readonly name: string;
  readonly #socket: Socket;
  #resource: Resource | undefined;
  #ended = false;

  constructor(socket: Socket) {
    this.name = `socket ${socket.remoteAddress ?? "local"}:${socket.remotePort ?? 0}`;
    this.#socket = socket;
  }

  /** Tie the socket's events to the resource. */
  follow(resource: Resource): void {
    this.#resource = resource;
    const socket = this.#socket;
    socket.on("readable", () => resource.setReadable(true));
    socket.on("end", () => {
      this.#ended = true;
      resource.setReadable(true);
    });
    socket.on("drain", () => resource.setWritable(true));
    socket.on("error", (error) => resource.close(new SocketFailedError(this.name, error)));
    socket.on("close", () => resource.close(new SocketClosedError(this.name)));
    if (socket.destroyed) resource.close(new SocketClosedError(this.name));
    resource.setReadable(socket.readableLength > 0);
    resource.setWritable(socket.writable && !socket.writableNeedDrain);
  }

  read(limit: number): Uint8Array | undefined {
    const socket = this.#socket;
    const size = Math.min(limit, socket.readableLength);
    const bytes = (size === 0 ? socket.read() : socket.read(size)) as Buffer | null;
    if (bytes !== null) {
      if (socket.readableLength === 0 && !this.#ended) this.#resource?.setReadable(false);
      return bytes;
    }
    if (this.#ended) return NOTHING;
    this.#resource?.setReadable(false);
    return undefined;
  }

  write(data: unknown): number {
    if (!(data instanceof Uint8Array)) throw new NotBytesError(data);
    const socket = this.#socket;
    if (socket.writableNeedDrain) return 0;
    // A copy: the socket may send later, when the writer has changed its buffer.
    const bytes = data.slice(0, WRITE_BYTES);
    if (!socket.write(bytes)) this.#resource?.setWritable(false);
    return bytes.length;
  }

  close(): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    // What was taken before is still sent; a peer that never reads cannot keep the socket for ever.
    socket.destroySoon();
  }
}

/** Make a connected socket a resource. The socket belongs to the resource from now on. */
export function connectionResource(kernel: Kernel, socket: Socket): Resource {
  const connection = new Connection(socket);
  const resource = kernel.resource(connection);
  connection.follow(resource);
  return resource;
}
