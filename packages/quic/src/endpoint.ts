/**
 * An endpoint: one UDP port that listens and dials.
 *
 * EP1. The program sees a connection only after both sides approved each other; `connect` fails otherwise.
 * EP2. What ends badly before that is told as a QuicError by `connect`; for accepted connections nobody is told, the counters show it.
 * EP3. After `close` nothing of the endpoint keeps the process alive.
 */
import { checkAddress, checkNumber } from "./checks.ts";
import { CLOSE_CODES, type QuicClose, REASON_BYTES_MAX, readClose } from "./close.ts";
import { NativeConnection, type QuicConnection } from "./connection.ts";
import {
  BadIdentityError,
  BadOptionError,
  BindFailedError,
  ConnectFailedError,
  ConnectTimeoutError,
  EndpointClosedError,
  LoadFailedError,
  PeerRefusedError,
  TooManyError,
} from "./errors.ts";
import { type LoadOptions, loadQuic } from "./load.ts";
import {
  type EndpointStats,
  EVENT,
  type NativeCallback,
  type NativeEndpoint,
  type NativeQuic,
} from "./native.ts";
import type { QuicEndpointOptions, QuicIdentity } from "./options.ts";
import { type CheckedOptions, checkIdentity, checkOptions } from "./options.ts";
import type { NativeStream } from "./stream.ts";

const CONNECT_MS = 10_000;

/** Whom to dial. */
export interface ConnectOptions {
  /** A numeric IPv4 or IPv6 address of the kind the endpoint is bound to. */
  readonly host: string;
  readonly port: number;
  /** Milliseconds until `quic.connect-timeout`: 1 to 10000, the default. */
  readonly timeoutMs?: number;
}

/** A UDP port that listens and dials. */
export interface QuicEndpoint {
  /** Where it is bound; with the port that was taken. */
  readonly address: { readonly host: string; readonly port: number };
  /** Dials. Fails with `quic.connect-failed`, `quic.connect-timeout`, `quic.peer-refused`, `quic.too-many`, `quic.endpoint-closed`. */
  connect(options: ConnectOptions): Promise<QuicConnection>;
  /** Uses another certificate from the next handshake on; connections keep theirs. Fails with `quic.bad-identity`. */
  setIdentity(identity: QuicIdentity): void;
  /** What it holds and did; all 0 after it closed. */
  stats(): EndpointStats;
  /** Lets the process end although the endpoint is open; `ref` takes that back. */
  unref(): void;
  /** Keeps the process alive while the endpoint is open, as it does from the start. */
  ref(): void;
  /** Ends every connection with code 0 at once and frees the port. Settles when it is free; a second call gives the same promise. */
  close(): Promise<void>;
}

interface Dial {
  readonly options: ConnectOptions;
  readonly resolve: (connection: QuicConnection) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Makes an endpoint. Fails with `quic.bad-option`, `quic.bad-identity`, `quic.bind-failed`, and what `loadQuic` fails with.
 * The socket is bound when this returns.
 */
export function createQuicEndpoint(options: QuicEndpointOptions, load: LoadOptions = {}): QuicEndpoint {
  const checked = checkOptions(options);
  return new Endpoint(loadQuic(load), checked, options);
}

class Endpoint implements QuicEndpoint {
  readonly address: { readonly host: string; readonly port: number };
  readonly #native: NativeQuic;
  readonly #endpoint: NativeEndpoint;
  readonly #options: QuicEndpointOptions;
  readonly #dials = new Map<number, Dial>();
  /** Connections whose approval is being decided. */
  readonly #judged = new Set<number>();
  readonly #connections = new Map<number, NativeConnection>();
  readonly #streams = new Map<number, NativeStream>();
  #closing: Promise<void> | undefined;
  #settleClosing: () => void = () => {};

  constructor(native: NativeQuic, checked: CheckedOptions, options: QuicEndpointOptions) {
    this.#native = native;
    this.#options = options;
    this.#endpoint = createNative(native, checked, (...event) => this.#take(...event));
    this.address = native.address(this.#endpoint) ?? { host: checked.host, port: checked.port };
  }

  connect(options: ConnectOptions): Promise<QuicConnection> {
    const { host, port, timeoutMs = CONNECT_MS } = options;
    return new Promise((resolve, reject) => {
      checkAddress(host, port, 1);
      checkNumber("timeoutMs", timeoutMs, [1, CONNECT_MS]);
      if (host.includes(":") !== this.address.host.includes(":"))
        throw new BadOptionError("host", "of the same kind (IPv4 or IPv6) as the endpoint's own address");
      if (this.#closing !== undefined) throw new EndpointClosedError();
      const handle = this.#native.connect(this.#endpoint, host, port);
      if (handle === 0) throw new TooManyError("connections", this.stats().connections);
      const timer = setTimeout(() => {
        this.#dials.delete(handle);
        this.#refuse(handle, CLOSE_CODES.tooSlow, "");
        reject(new ConnectTimeoutError(host, port, timeoutMs));
      }, timeoutMs);
      this.#dials.set(handle, { options, resolve, reject, timer });
    });
  }

  setIdentity(identity: QuicIdentity): void {
    const { certificate, key } = checkIdentity(identity);
    if (this.#closing !== undefined) throw new EndpointClosedError();
    try {
      this.#native.setIdentity(this.#endpoint, certificate, key);
    } catch (error) {
      throw new BadIdentityError((error as Error).message);
    }
  }

  stats(): EndpointStats {
    const none = { connections: 0, pending: 0, streams: 0, refused: 0, ticks: 0, unsent: 0 };
    return this.#native.stats(this.#endpoint) ?? none;
  }

  ref(): void {
    this.#native.keepAlive(this.#endpoint, true);
  }

  unref(): void {
    this.#native.keepAlive(this.#endpoint, false);
  }

  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing;
    this.#closing = new Promise((resolve) => {
      this.#settleClosing = resolve;
    });
    this.ref();
    this.#native.close(this.#endpoint);
    const close: QuicClose = { by: "us", kind: "application", code: 0, reason: "the endpoint was closed" };
    for (const connection of [...this.#connections.values()]) connection.takeClosed(close);
    for (const handle of [...this.#dials.keys()]) this.#failDial(handle, new EndpointClosedError());
    this.#connections.clear();
    return this.#closing;
  }

  #take(event: number, handle: number, stream: number, detail: unknown): void {
    const connection = this.#connections.get(handle);
    switch (event) {
      case EVENT.handshake:
        void this.#judge(handle, stream === 1, detail as Uint8Array | undefined);
        break;
      case EVENT.closed:
        this.#takeClosed(handle, detail as [number, Uint8Array, number]);
        break;
      case EVENT.stream:
        connection?.takeStream(stream, detail as number);
        break;
      case EVENT.openable:
        connection?.takeOpenable();
        break;
      case EVENT.endpointClosed:
        this.#settleClosing();
        break;
      default:
        this.#takeStreamEvent(event, connection, stream, detail);
    }
  }

  #takeStreamEvent(...args: [number, NativeConnection | undefined, number, unknown]): void {
    const [event, connection, handle, detail] = args;
    const stream = this.#streams.get(handle);
    if (stream === undefined) {
      if (event === EVENT.data) connection?.takeConfirmation(handle, detail as Uint8Array);
      else if (event === EVENT.end) connection?.takeConfirmation(handle, undefined);
      return;
    }
    if (event === EVENT.data) stream.receive(detail as Uint8Array);
    else if (event === EVENT.end) stream.receiveEnd();
    else if (event === EVENT.reset) stream.receiveReset(detail as number);
    else if (event === EVENT.stopped) stream.receiveStop(detail as number);
    else if (event === EVENT.writable) stream.receiveRoom();
  }

  async #judge(handle: number, isAccepted: boolean, certificate: Uint8Array | undefined): Promise<void> {
    const { approvePeer, onConnection, confirmsApproval = true } = this.#options;
    let cause: unknown;
    let verdict: boolean | string = false;
    this.#judged.add(handle);
    try {
      const isWanted =
        certificate !== undefined && certificate.length > 0 && !(isAccepted && onConnection === undefined);
      if (isWanted) verdict = await approvePeer(certificate, { isServer: !isAccepted });
    } catch (error) {
      cause = error;
    }
    if (!this.#judged.delete(handle) || this.#closing !== undefined) return;
    if (verdict !== true || certificate === undefined) {
      this.#refuse(handle, CLOSE_CODES.notApproved, typeof verdict === "string" ? verdict : "");
      this.#failDial(handle, new PeerRefusedError(cause));
      return;
    }
    if (!isAccepted && !this.#dials.has(handle)) return;
    const connection = new NativeConnection({
      native: this.#native,
      endpoint: this.#endpoint,
      handle,
      isAccepted,
      peerCertificate: certificate,
      confirms: confirmsApproval,
      streams: this.#streams,
      onReady: (ready) => this.#announce(handle, ready),
    });
    this.#connections.set(handle, connection);
    connection.approve();
  }

  #announce(handle: number, connection: NativeConnection): void {
    if (connection.isAccepted) {
      this.#options.onConnection?.(connection);
      return;
    }
    const dial = this.#dials.get(handle);
    this.#dials.delete(handle);
    clearTimeout(dial?.timer);
    dial?.resolve(connection);
  }

  #takeClosed(handle: number, [code, reason, flags]: [number, Uint8Array, number]): void {
    const close = readClose(code, reason, flags);
    const connection = this.#connections.get(handle);
    this.#connections.delete(handle);
    this.#judged.delete(handle);
    this.#failDial(handle, new ConnectFailedError(close));
    connection?.takeClosed(close);
  }

  #failDial(handle: number, error: Error): void {
    const dial = this.#dials.get(handle);
    if (dial === undefined) return;
    this.#dials.delete(handle);
    clearTimeout(dial.timer);
    dial.reject(error);
  }

  #refuse(handle: number, code: number, reason: string): void {
    const text = new TextEncoder().encode(reason).subarray(0, REASON_BYTES_MAX);
    this.#native.closeConnection(this.#endpoint, handle, code, text);
  }
}

function createNative(native: NativeQuic, checked: CheckedOptions, callback: NativeCallback): NativeEndpoint {
  const { host, port, certificate, key, alpn, groups, retry, idleMs, maxPending, maxConnections } = checked;
  try {
    return native.create(
      host,
      port,
      certificate,
      key,
      alpn,
      groups,
      retry,
      idleMs,
      maxPending,
      maxConnections,
      callback,
    );
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "identity") throw new BadIdentityError(message);
    if (code === "groups") throw new BadOptionError("groups", "groups that OpenSSL knows");
    if (code === "socket") throw new BindFailedError(host, port, message);
    throw new LoadFailedError(error);
  }
}
