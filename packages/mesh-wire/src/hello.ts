/**
 * The first frames of a connection: the dialler's hello and the acceptor's welcome or refusal (docs/spec/frame.md section 3).
 *
 * H1. Nothing but a hello is accepted as the first frame, and nothing but its answer as the first frame back.
 * H2. A bulk connection is tied to its session by an HMAC under the session's exporter over the bulk connection's exporter,
 *     so only the two ends of the session can add one.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import {
  type CodedReason,
  type Hello,
  type Ordinal,
  readCodedReason,
  readHello,
  readOrdinal,
  writeHello,
  writeOrdinal,
} from "./control-payload.ts";
import { ProtocolViolationError } from "./errors.ts";
import { FRAME_KIND } from "./frame.ts";
import type { ConnectionHandler, FramedConnection } from "./framed-connection.ts";

const BINDING_LABEL = "EXPORTER-glia-1-bulk";
const BINDING_BYTES = 32;

/** The part of a session that a binding needs. */
export interface Exporter {
  exportKeyingMaterial(label: string, lengthBytes: number): Uint8Array;
}

/** The acceptor refused the hello. */
export class HelloRefused {
  readonly refusal: CodedReason;

  constructor(refusal: CodedReason) {
    this.refusal = refusal;
  }
}

/** The bytes that tie a bulk connection to its session (H2). */
export function bulkBinding(session: Exporter, bulk: Exporter, id: Ordinal): Uint8Array {
  const key = session.exportKeyingMaterial(BINDING_LABEL, BINDING_BYTES);
  const own = bulk.exportKeyingMaterial(BINDING_LABEL, BINDING_BYTES);
  return new Uint8Array(createHmac("sha256", key).update(writeOrdinal(id)).update(own).digest());
}

/** Whether a binding is right, in constant time. */
export function sameBinding(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function refuseData(): never {
  throw new ProtocolViolationError("it sent a message before its hello");
}

/** A handler for a connection that waits for one control frame. `take` throws to refuse it. */
function awaitControl(
  connection: () => FramedConnection,
  reject: (error: unknown) => void,
  take: (kind: number, payload: Uint8Array) => void,
): ConnectionHandler {
  return {
    begin: refuseData,
    data: refuseData,
    end: refuseData,
    control: take,
    violated: (error) => {
      reject(error);
      connection().destroy();
    },
    lost: (reason) => reject(new ProtocolViolationError(`no hello: ${reason}`)),
    flushed: () => {},
  };
}

/**
 * Send a hello and wait for the answer. `welcomed` runs before any further frame is read, so it can take the connection over.
 * Rejects with {@link HelloRefused} or an error.
 */
export function sendHello(
  connection: FramedConnection,
  hello: Hello,
  welcomed: (acceptor: Ordinal) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const take = (kind: number, payload: Uint8Array) => {
      if (kind === FRAME_KIND.welcome) {
        welcomed(readOrdinal(payload));
        resolve();
      } else if (kind === FRAME_KIND.refuse) {
        reject(new HelloRefused(readCodedReason(payload)));
        connection.finish();
      } else throw new ProtocolViolationError(`it answered the hello with control ${kind}`);
    };
    connection.handTo(
      awaitControl(() => connection, reject, take),
      [],
    );
    connection.sendControl(FRAME_KIND.hello, writeHello(hello));
  });
}

/** Wait for a hello. `greeted` runs before any further frame is read, so it can take the connection over. */
export function awaitHello(connection: FramedConnection, greeted: (hello: Hello) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const take = (kind: number, payload: Uint8Array) => {
      if (kind !== FRAME_KIND.hello) throw new ProtocolViolationError(`its first frame is control ${kind}`);
      greeted(readHello(payload));
      resolve();
    };
    connection.handTo(
      awaitControl(() => connection, reject, take),
      [],
    );
  });
}

/** The handler of a connection until somebody waits for its first frame: it is verified, but not read yet. */
export function unread(): ConnectionHandler {
  return {
    begin: refuseData,
    data: refuseData,
    end: refuseData,
    control: refuseData,
    violated: () => {},
    lost: () => {},
    flushed: () => {},
  };
}
