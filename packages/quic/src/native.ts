/** What the addon exports (native/addon.c) and what it tells (enum event in native/quic.h). */

/** Names an endpoint to the addon; made by `create`. */
export interface NativeEndpoint {
  readonly __nativeEndpoint: never;
}

/** The numbers of enum event in native/quic.h. */
export const EVENT = {
  handshake: 1,
  closed: 2,
  stream: 3,
  data: 4,
  end: 5,
  reset: 6,
  stopped: 7,
  writable: 8,
  openable: 9,
  endpointClosed: 10,
} as const;

/** Called for each event; `stream` is 1 for an accepted connection in `EVENT.handshake`. */
export type NativeCallback = (event: number, connection: number, stream: number, detail: unknown) => void;

/** How many connections and streams an endpoint has, and what it did. */
export interface EndpointStats {
  /** Connections, with those that are being made or ended. */
  readonly connections: number;
  /** Connections of others whose handshake or approval is not over. */
  readonly pending: number;
  /** Streams of all connections. */
  readonly streams: number;
  /** Connections closed at once because a limit was reached. */
  readonly refused: number;
  /** How often packets were looked after. */
  readonly ticks: number;
  /** Packets that the system refused to send: no route, no buffer, a firewall. QUIC takes each for a lost one. */
  readonly unsent: number;
}

/** Payload that a connection moved, the byte of each confirmation included. */
export interface ConnectionStats {
  /** Bytes that the program got from streams. */
  readonly bytesReceived: number;
  /** Bytes that streams took from the program. */
  readonly bytesSent: number;
}

/** The addon. A handle of something that is gone is accepted everywhere and does nothing. */
export interface NativeQuic {
  create(
    ...args: [
      host: string,
      port: number,
      certificate: Uint8Array,
      key: Uint8Array,
      alpn: Uint8Array,
      groups: string,
      validatesAddresses: boolean,
      idleMs: number,
      pendingMax: number,
      connectionsMax: number,
      callback: NativeCallback,
    ]
  ): NativeEndpoint;
  address(endpoint: NativeEndpoint): { readonly host: string; readonly port: number } | undefined;
  setIdentity(endpoint: NativeEndpoint, certificate: Uint8Array, key: Uint8Array): void;
  /** A connection, or 0 when there is no room. */
  connect(endpoint: NativeEndpoint, host: string, port: number): number;
  approve(endpoint: NativeEndpoint, connection: number): void;
  closeConnection(endpoint: NativeEndpoint, connection: number, code: number, reason: Uint8Array): void;
  exportKeyingMaterial(
    ...args: [
      endpoint: NativeEndpoint,
      connection: number,
      label: Uint8Array,
      context: Uint8Array,
      length: number,
    ]
  ): Uint8Array | undefined;
  /** A stream, or 0 when the peer allows no more at the moment. */
  open(endpoint: NativeEndpoint, connection: number, unidirectional: boolean): number;
  streamId(endpoint: NativeEndpoint, stream: number): number | undefined;
  /** The number of bytes taken from `offset` on; `EVENT.writable` follows if it is less than all. */
  write(endpoint: NativeEndpoint, stream: number, bytes: Uint8Array, offset: number): number;
  finish(endpoint: NativeEndpoint, stream: number): void;
  reset(endpoint: NativeEndpoint, stream: number, code: number): void;
  pause(endpoint: NativeEndpoint, stream: number, isPaused: boolean): void;
  release(endpoint: NativeEndpoint, stream: number): void;
  stats(endpoint: NativeEndpoint): EndpointStats | undefined;
  connectionStats(endpoint: NativeEndpoint, connection: number): ConnectionStats | undefined;
  keepAlive(endpoint: NativeEndpoint, keeps: boolean): void;
  close(endpoint: NativeEndpoint): void;
}
