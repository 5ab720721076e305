/**
 * Calls: a request with one answer or one error (docs/spec/envelope.md).
 *
 * RC1. Calls in flight are at most {@link CALLS_MAX} here and {@link CALLS_PER_PEER_MAX} from one peer.
 * RC2. Every call completes exactly once: with the answer, the peer's error, `mesh.call-timeout` or `mesh.peer-unreachable`.
 * RC3. An answer counts only from the peer that was asked, with the id it was asked under, before the deadline. Late ones are dropped.
 * RC4. A repeated request that is still being handled is not handled twice; after its answer it may be, so only methods that are
 *      safe to repeat are resent.
 * RC5. A call that asks for a span carries it; where both ends have a tracer, both spans are of one trace, the server's under the client's.
 */
import { RemoteError } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import type { Random, TimerHandle, Timers, Tracer, TrafficClass } from "@glia-os/abi/ports";
import { errorFields, errorRecordOf } from "../admission/error-record.ts";
import type { Envelope, OutgoingEnvelope } from "../codec/envelope.ts";
import { inOnePiece } from "../codec/joined-bytes.ts";
import { FieldReader } from "../codec/reader.ts";
import {
  CallTimeoutError,
  InvalidOptionError,
  MeshStoppedError,
  PeerUnreachableError,
  TooManyCallsError,
  UnknownMethodError,
} from "../errors.ts";
import type { CallBody, Caller, CallHandler, CallOptions } from "../mesh-types.ts";
import type { Peer } from "../peers/sessions.ts";
import { CallTrace } from "./call-trace.ts";

/** Calls this node has in flight. */
export const CALLS_MAX = 1024;
/** Calls of one peer that are being handled here. */
export const CALLS_PER_PEER_MAX = 256;
/** Longest method name. */
export const METHOD_MAX = 64;
const TIMEOUT_DEFAULT_MS = 10_000;
const TIMEOUT_MAX_MS = 600_000;
const BODY_MAX = 16 * 1_048_576;
/** Longest text of a span that comes with a call. */
const TRACE_MAX = 128;

/** What calls need from the node. */
export interface CallsOptions {
  readonly self: Caller;
  readonly timers: Timers;
  readonly random: Random;
  /** Makes spans of calls that ask for one; without it a span of the caller's goes along as it is. */
  readonly tracer?: Tracer | undefined;
  send(node: NodeId, trafficClass: TrafficClass, envelope: OutgoingEnvelope): boolean;
}

interface Pending {
  readonly node: NodeId;
  readonly repeats: boolean;
  readonly complete: (outcome: Uint8Array | Error) => void;
}

/** The call table of one node. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #handlers = new Map<string, CallHandler>();
  readonly #pending = new Map<number, Pending>();
  readonly #handling = new Map<NodeId, Set<number>>();
  readonly #trace: CallTrace;
  #nextId: number;
  #stopped = false;

  constructor(options: CallsOptions) {
    this.#options = options;
    this.#trace = new CallTrace(options.tracer);
    // A random start: a late answer to an earlier life of this node does not meet a fresh call.
    this.#nextId = 1 + options.random.uint32() * 0x1_0000;
  }

  /** Calls in flight. */
  get inFlight(): number {
    return this.#pending.size;
  }

  /** Answer `method` until the result is called. */
  handle(method: string, handler: CallHandler): () => void {
    if (!/^[a-z0-9.-]{1,64}$/.test(method))
      throw new InvalidOptionError("method", `${method} is not 1 to ${METHOD_MAX} of a-z, 0-9, ., -`);
    if (this.#handlers.has(method)) throw new InvalidOptionError("method", `${method} has a handler already`);
    this.#handlers.set(method, handler);
    return () => void this.#handlers.delete(method);
  }

  /** Call a method (RC2). */
  async call(node: NodeId, method: string, body: CallBody, options: CallOptions = {}): Promise<Uint8Array> {
    if (this.#stopped) throw new MeshStoppedError();
    const timeoutMs = options.timeoutMs ?? TIMEOUT_DEFAULT_MS;
    if (!(timeoutMs >= 1 && timeoutMs <= TIMEOUT_MAX_MS))
      throw new InvalidOptionError("timeoutMs", `${timeoutMs} is not from 1 to ${TIMEOUT_MAX_MS}`);
    if (this.#pending.size >= CALLS_MAX) throw new TooManyCallsError(CALLS_MAX);
    if (node === this.#options.self.node) return this.#local(method, inOnePiece(body), timeoutMs);
    return new Promise((resolve, reject) => {
      this.#start(node, method, body, { ...options, timeoutMs }, (outcome) =>
        outcome instanceof Uint8Array ? resolve(outcome) : reject(outcome),
      );
    });
  }

  /** A `call`, `reply` or `failure` from a peer. */
  receive(peer: Peer, trafficClass: TrafficClass, envelope: Envelope): void {
    if (envelope.kind === "call") {
      this.#serve(peer, trafficClass, envelope);
      return;
    }
    const pending = this.#pending.get(envelope.requestId);
    if (pending === undefined || pending.node !== peer.node) return;
    if (envelope.kind === "failure") {
      pending.complete(new RemoteError(errorRecordOf(envelope.body)));
      return;
    }
    const reader = new FieldReader(envelope.body, "a reply");
    const body = reader.bytes("body", BODY_MAX);
    reader.end();
    pending.complete(body);
  }

  /** A node cannot be reached: calls that are not repeated end now. */
  unreachable(node: NodeId, cause: unknown): void {
    for (const { node: asked, repeats, complete } of [...this.#pending.values()])
      if (asked === node && !repeats) complete(new PeerUnreachableError(node, cause));
  }

  /** End all calls. */
  stop(): void {
    this.#stopped = true;
    for (const { complete } of [...this.#pending.values()]) complete(new MeshStoppedError());
  }

  #start(
    node: NodeId,
    method: string,
    body: CallBody,
    {
      timeoutMs = TIMEOUT_DEFAULT_MS,
      resendMs,
      resendMostMs,
      trafficClass = "request",
      traceparent,
    }: CallOptions,
    finish: (outcome: Uint8Array | Error) => void,
  ): void {
    const requestId = this.#nextId++;
    const { timers, send } = this.#options;
    const span = this.#trace.asked(method, node, traceparent);
    const trace = span.traceparent === undefined ? [] : [span.traceparent];
    const envelope: OutgoingEnvelope = { kind: "call", requestId, body: [method, body, ...trace] };
    let repeat: TimerHandle | undefined;
    const deadline = timers.schedule(timeoutMs, () => complete(new CallTimeoutError(method, timeoutMs)));
    const complete = (outcome: Uint8Array | Error): void => {
      if (!this.#pending.delete(requestId)) return;
      deadline.cancel();
      repeat?.cancel();
      span.end(outcome instanceof Uint8Array ? undefined : outcome);
      finish(outcome);
    };
    const again = (pauseMs = resendMs): void => {
      if (pauseMs === undefined) return;
      repeat = timers.schedule(pauseMs, () => {
        send(node, trafficClass, envelope);
        again(Math.max(pauseMs, Math.min(2 * pauseMs, resendMostMs ?? 0)));
      });
    };
    this.#pending.set(requestId, { node, repeats: resendMs !== undefined, complete });
    const sent = send(node, trafficClass, envelope);
    if (!sent && resendMs === undefined) complete(new PeerUnreachableError(node));
    else again();
  }

  #serve(peer: Peer, trafficClass: TrafficClass, { requestId, body: fields }: Envelope): void {
    const reader = new FieldReader(fields, "a call");
    const method = reader.text("method", METHOD_MAX, 1);
    const body = reader.bytes("body", BODY_MAX);
    const trace = reader.more ? reader.text("traceparent", TRACE_MAX, 1) : undefined;
    reader.end();
    const handling = this.#handling.get(peer.node) ?? new Set();
    if (handling.has(requestId)) return;
    const answer = (kind: "reply" | "failure", result: Envelope["body"]): void => {
      handling.delete(requestId);
      if (handling.size === 0) this.#handling.delete(peer.node);
      if (!this.#stopped) this.#options.send(peer.node, trafficClass, { kind, requestId, body: result });
    };
    if (handling.size >= CALLS_PER_PEER_MAX) {
      answer("failure", errorFields(new TooManyCallsError(CALLS_PER_PEER_MAX)));
      return;
    }
    handling.add(requestId);
    this.#handling.set(peer.node, handling);
    const span = this.#trace.served(method, peer.node, trace);
    const { traceparent } = span;
    const caller = traceparent === undefined ? peer : { node: peer.node, role: peer.role, traceparent };
    this.#invoke(caller, method, body).then(
      (result) => {
        span.end(undefined);
        answer("reply", [result]);
      },
      (error: unknown) => {
        span.end(error);
        answer("failure", errorFields(error));
      },
    );
  }

  async #invoke(caller: Caller, method: string, body: Uint8Array): Promise<Uint8Array> {
    const handler = this.#handlers.get(method);
    if (handler === undefined) throw new UnknownMethodError(method);
    return handler(caller, body);
  }

  #local(method: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const deadline = this.#options.timers.schedule(timeoutMs, () =>
        reject(new CallTimeoutError(method, timeoutMs)),
      );
      this.#invoke(this.#options.self, method, body)
        .then(resolve, reject)
        .finally(() => deadline.cancel());
    });
  }
}
