/**
 * Calls between machines in one process on virtual time, without sessions: for the overlay's protocols at thousands of nodes, where a
 * handshake per pair would be most of the work.
 *
 * CN1. A round trip takes {@link CALL_FLOOR_MS} plus an exponentially distributed time with a mean of {@link CALL_SPREAD_MS}.
 * CN2. A call to a node that is gone, or across a cut, ends by its timeout; the callee may have handled it.
 * CN3. Same seed, same calls: same times.
 */
import type { NodeId } from "@glia-os/abi/ids";
import { SeededRandom } from "@glia-os/abi/testing";
import { CallTimeoutError, UnknownMethodError } from "../errors.ts";
import type { CallHandler, CallOptions, NodeRole } from "../mesh-types.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** Least round trip in milliseconds. */
export const CALL_FLOOR_MS = 10;
/** Mean of what comes on top, in milliseconds. */
export const CALL_SPREAD_MS = 40;
const TIMEOUT_MS = 10_000;

interface Process {
  readonly role: NodeRole;
  readonly handlers: ReadonlyMap<string, CallHandler>;
}

/** What one process calls with. */
export type CallFunction = (
  node: NodeId,
  method: string,
  body: Uint8Array,
  options?: CallOptions,
) => Promise<Uint8Array>;

/** The network. */
export class CallNetwork {
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #processes = new Map<NodeId, Process>();
  /** Calls started. */
  calls = 0;
  /** Bytes of questions and answers. */
  bytes = 0;
  /** Says whether a call from one node to another passes; all do by default. */
  passes: (from: NodeId, to: NodeId, method: string) => boolean = () => true;

  constructor(time: VirtualTime, seed: number) {
    this.#time = time;
    this.#random = new SeededRandom(seed).fork("calls");
  }

  /** A process begins to answer. */
  join(node: NodeId, role: NodeRole, methods: Iterable<readonly [string, CallHandler]>): void {
    this.#processes.set(node, { role, handlers: new Map(methods) });
  }

  /** A process is gone, without a word. */
  leave(node: NodeId): void {
    this.#processes.delete(node);
  }

  /** Whether a process runs. */
  has(node: NodeId): boolean {
    return this.#processes.has(node);
  }

  /** The calls of one process. */
  caller(from: NodeId, role: NodeRole): CallFunction {
    return (to, method, body, options) => this.#call({ node: from, role }, to, method, body, options);
  }

  #call(
    caller: { readonly node: NodeId; readonly role: NodeRole },
    to: NodeId,
    method: string,
    body: Uint8Array,
    { timeoutMs = TIMEOUT_MS }: CallOptions = {},
  ): Promise<Uint8Array> {
    this.calls++;
    this.bytes += body.length;
    const oneWayMs = (CALL_FLOOR_MS + this.#exponential() * CALL_SPREAD_MS) / 2;
    return new Promise((resolve, reject) => {
      const timeout = this.#time.schedule(timeoutMs, () => reject(new CallTimeoutError(method, timeoutMs)));
      const back = (settle: () => void): void => {
        this.#time.schedule(oneWayMs, () => {
          if (!this.#processes.has(caller.node)) return;
          timeout.cancel();
          settle();
        });
      };
      this.#time.schedule(oneWayMs, () => {
        const process = this.#processes.get(to);
        if (process === undefined || !this.passes(caller.node, to, method)) return;
        const handler = process.handlers.get(method);
        if (handler === undefined) return back(() => reject(new UnknownMethodError(method)));
        handler(caller, body).then(
          (answer) => {
            this.bytes += answer.length;
            back(() => resolve(answer));
          },
          (error: unknown) => back(() => reject(error)),
        );
      });
    });
  }

  /** Exponentially distributed with mean 1; the logarithm is linear between powers of two, the same on every engine. */
  #exponential(): number {
    const draw = this.#random.uint32() || 1;
    const zeros = Math.clz32(draw);
    const rest = (draw << zeros) >>> 0;
    return (zeros + 1 - (rest / 0x8000_0000 - 1)) * Math.LN2 - 0.04;
  }
}
