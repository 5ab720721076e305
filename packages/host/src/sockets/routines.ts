/** What a task does with sockets, as parts of its program: `const bytes = yield* recv(sys, socket, 4096)`. */
import type { Handle, Routine, Sys } from "@glia-os/kernel";
import { NotBytesError } from "../errors.ts";

/** The handle of the next connection of a listener. Needs the right `read`. */
export function* accept(sys: Sys, listener: Handle): Routine<Handle> {
  for (;;) {
    yield* sys.readWait(listener);
    const connection = sys.readFrom<Handle>(listener, 1);
    if (connection !== undefined) return connection;
  }
}

/** At least 1 and at most `limit` bytes; an empty array when the peer has ended. Needs the right `read`. */
export function* recv(sys: Sys, socket: Handle, limit: number): Routine<Uint8Array> {
  for (;;) {
    yield* sys.readWait(socket);
    const bytes = sys.readFrom(socket, limit);
    if (bytes !== undefined) return bytes;
  }
}

/** Hand over all bytes, waiting while the socket is full. Needs the right `write`. @throws {NotBytesError} */
export function* send(sys: Sys, socket: Handle, bytes: Uint8Array): Routine<void> {
  if (!(bytes instanceof Uint8Array)) throw new NotBytesError(bytes);
  for (let sent = 0; sent < bytes.length; ) {
    yield* sys.writeWait(socket);
    sent += sys.writeTo(socket, bytes.subarray(sent));
  }
}
