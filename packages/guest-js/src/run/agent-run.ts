/**
 * Runs one agent in the calling thread: mailbox, clock and replies, for programs that host agents without a node, and for tests.
 *
 * AR1. Messages are delivered in the order of `send`, each once, also across `freeze` and `resume`.
 * AR2. The agent runs only inside `run`, in slices of about a millisecond, until it waits, ends, or the slices are used up.
 * AR3. After `freeze` this run is over; what it returns is everything needed to go on elsewhere.
 */
import type {
  AdmittedProgram,
  CallResult,
  EngineInstance,
  EngineLimits,
  GuestHost,
  PendingCall,
  StepOutcome,
} from "@glia-os/abi/ports";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import type { Checkpoint, WasmInstance, WasmProgram } from "@glia-os/wasm";
import { RunStateError } from "../errors.ts";
import { encodeFrozenAgent, type FrozenAgent, openFrozenAgent } from "./frozen-agent.ts";
import {
  type AgentRequest,
  type AgentResponse,
  asksOutside,
  FETCH_CAPABILITIES,
  requestOf,
  resultOf,
} from "./outside.ts";

/** What an agent gets from the program that runs it. */
export interface AgentPorts {
  /** Milliseconds since the Unix epoch. Timers run on it. */
  wallMs(): number;
  /** Fill with random bytes. */
  random(target: Uint8Array): void;
  /** A log line; levels 0 trace to 4 error. */
  log(level: number, text: string): void;
  /** The reply to a message, with the number `send` gave. */
  reply(message: number, payload: Uint8Array): void;
  /**
   * Make a request for the agent and answer it with {@link AgentRun.respond}, now or later. Without this an agent cannot `fetch`.
   * Which URLs it may ask for is decided here. Called again where the agent goes on when it moved before there was an answer.
   */
  fetch?(request: AgentRequest): void;
}

/** How to run. */
export interface AgentRunOptions {
  readonly limits?: Partial<EngineLimits>;
  /** Messages that may wait, 1 to 65,536. Default 1000. */
  readonly mailboxMessages?: number;
  /** Fuel of one slice, after which an agent that did not come to a place to stop is ended. Default 1e10, some seconds. */
  readonly sliceFuel?: number;
}

/** What an agent is doing. */
export type AgentState =
  | { readonly kind: "ready" }
  | { readonly kind: "waiting"; readonly untilMs: number }
  | { readonly kind: "ended"; readonly status: number }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "frozen" };

const MAILBOX_MESSAGES = 1000;
const SLICE_FUEL = 10_000_000_000;
/** The default of the engine. */
const MESSAGE_BYTES = 1_048_576;
const DONE: CallResult = { value: 0 };

/** One running agent. Make it with {@link startAgentRun} or {@link resumeAgentRun}. */
export class AgentRun {
  readonly #ports: AgentPorts;
  readonly #instance: EngineInstance;
  readonly #mailboxMessages: number;
  readonly #sliceFuel: number;
  readonly #messageBytes: number;
  readonly #mailbox: [number, Uint8Array][];
  #next: number;
  #handling: number | undefined;
  #outcome: StepOutcome | undefined;
  #frozen = false;
  /** The request that was told, and its answer once it is there. */
  #asked: number | undefined;
  #response: CallResult | undefined;
  /** When the present wait ends. */
  #untilMs: number | undefined;

  constructor(
    make: (host: GuestHost) => EngineInstance,
    ports: AgentPorts,
    options: AgentRunOptions,
    frozen?: Omit<FrozenAgent, "image">,
  ) {
    this.#ports = ports;
    this.#mailboxMessages = options.mailboxMessages ?? MAILBOX_MESSAGES;
    this.#sliceFuel = options.sliceFuel ?? SLICE_FUEL;
    this.#mailbox = frozen?.mailbox.map(([number, payload]) => [number, payload]) ?? [];
    this.#next = frozen?.next ?? 1;
    this.#handling = frozen?.handling;
    this.#instance = make({
      log: (level, text) => ports.log(level, text),
      wallMs: () => ports.wallMs(),
      random: (target) => ports.random(target),
      reply: (payload) => this.#reply(payload),
      ...(ports.fetch === undefined ? {} : { capabilities: FETCH_CAPABILITIES }),
    });
    this.#messageBytes = options.limits?.messageBytes ?? MESSAGE_BYTES;
    const { pending } = this.#instance;
    if (pending !== undefined) this.#outcome = { kind: "pending", call: pending };
    if (frozen?.restMs !== undefined) this.#untilMs = ports.wallMs() + frozen.restMs;
  }

  /** What the agent is doing now. */
  get state(): AgentState {
    if (this.#frozen) return { kind: "frozen" };
    if (this.#outcome?.kind === "finished") return { kind: "ended", status: this.#outcome.status };
    if (this.#outcome?.kind === "failed") return { kind: "failed", error: this.#outcome.error };
    if (this.#outcome?.kind !== "pending" || this.#answerable(this.#outcome.call)) return { kind: "ready" };
    return { kind: "waiting", untilMs: this.#untilMs ?? Infinity };
  }

  /** The host call the agent stands at: `yield` in the middle of a computation. Undefined before it first ran and after its end. */
  get call(): string | undefined {
    return this.#outcome?.kind === "pending" ? this.#outcome.call.op : undefined;
  }

  /** Messages that wait. */
  get waiting(): number {
    return this.#mailbox.length;
  }

  /** Memory of the agent in bytes. */
  get memoryBytes(): number {
    return this.#instance.memoryBytes;
  }

  /** Put a message into the mailbox; its number. @throws RunStateError when it is full, or the agent has ended */
  send(payload: Uint8Array): number {
    this.#requireRunning("send");
    if (this.#mailbox.length >= this.#mailboxMessages)
      throw new RunStateError("send", `has ${this.#mailbox.length} messages waiting, its limit`);
    const number = this.#next++;
    this.#mailbox.push([number, payload]);
    return number;
  }

  /**
   * The answer to the request `id` that `AgentPorts.fetch` was told; the agent goes on with it in the next `run`. False when the
   * agent does not wait for it: it was answered, or lives elsewhere.
   */
  respond(id: number, response: AgentResponse): boolean {
    if (this.#frozen || this.#asked !== id || this.#response !== undefined) return false;
    this.#response = resultOf(response, this.#messageBytes);
    return true;
  }

  /** Go on for at most so many slices; what the agent does afterwards. @throws RunStateError */
  run(slices: number = Infinity): AgentState {
    this.#requireRunning("run");
    for (let left = slices; left > 0; left--) {
      this.#askOutside();
      const answer = this.#outcome?.kind === "pending" ? this.#answer() : undefined;
      if (this.#outcome?.kind === "pending" && answer === undefined) break;
      this.#outcome = this.#instance.step(answer, this.#sliceFuel);
      this.#untilMs = undefined;
      this.#asked = undefined;
      this.#response = undefined;
      if (this.#outcome.kind === "finished" || this.#outcome.kind === "failed") break;
    }
    return this.state;
  }

  /** Stop, and give everything needed to go on elsewhere (AR3). @throws RunStateError */
  freeze(): FrozenAgent {
    return this.#stopped(false, (frozen) => frozen);
  }

  /**
   * The same as bytes, which {@link unpackAgentRun} takes: what `encodeFrozenAgent` gives, without a copy of the memory in between.
   * @throws RunStateError
   */
  pack(golden?: Checkpoint): Uint8Array {
    return this.#stopped(true, (frozen) => encodeFrozenAgent(frozen, golden));
  }

  /** Stop and make something of the state, which is the live memory itself when it is shared. */
  #stopped<T>(share: boolean, make: (frozen: FrozenAgent) => T): T {
    this.#requireRunning("freeze");
    if (this.#outcome === undefined) {
      this.run(1);
      this.#requireRunning("freeze");
    }
    this.#answerable(this.#instance.pending);
    const restMs =
      this.#untilMs === undefined ? undefined : Math.max(0, this.#untilMs - this.#ports.wallMs());
    const image = this.#instance.snapshot(share);
    const rest = { mailbox: this.#mailbox, handling: this.#handling, next: this.#next, restMs };
    const made = make({ image, ...rest });
    this.#frozen = true;
    this.#instance.dispose();
    return made;
  }

  /** End it, whatever it is doing. Idempotent. */
  stop(): void {
    if (this.#outcome?.kind !== "finished" && this.#outcome?.kind !== "failed")
      this.#outcome = { kind: "failed", error: new RunStateError("go on", "was stopped by its host") };
    this.#instance.dispose();
  }

  #requireRunning(call: string): void {
    const { kind } = this.state;
    if (kind === "frozen") throw new RunStateError(call, "was frozen and lives elsewhere now");
    if (kind === "ended" || kind === "failed") throw new RunStateError(call, `has ${kind}`);
  }

  /** Tell the request the agent waits in, once (OU1 of outside.ts). */
  #askOutside(): void {
    const call = this.#outcome?.kind === "pending" ? this.#outcome.call : undefined;
    if (call === undefined || !asksOutside(call) || this.#asked !== undefined) return;
    const request = requestOf(call, this.#instance);
    this.#asked = call.requestId;
    if ("value" in request) this.#response = request;
    else if (this.#ports.fetch === undefined) this.#response = { value: GUEST_ERRORS.E_GONE };
    else this.#ports.fetch(request);
  }

  #reply(payload: Uint8Array): number {
    if (this.#handling === undefined) return GUEST_ERRORS.E_STATE;
    const message = this.#handling;
    this.#handling = undefined;
    this.#ports.reply(message, payload);
    return 0;
  }

  /** Whether the pending call can be answered now. Notes when a wait began. */
  #answerable(call: PendingCall | undefined): boolean {
    if (asksOutside(call)) return this.#asked === undefined || this.#response !== undefined;
    if (call?.op === "sleep") return this.#over(call.args[0] ?? 0);
    if (call?.op === "receive_within") return this.#over(call.args[2] ?? 0) || this.#mailbox.length > 0;
    return call?.op !== "receive" || this.#mailbox.length > 0;
  }

  #over(durationMs: number): boolean {
    const nowMs = this.#ports.wallMs();
    this.#untilMs ??= nowMs + durationMs;
    return nowMs >= this.#untilMs;
  }

  /** The answer to the pending call, or undefined while it has to wait. */
  #answer(): CallResult | undefined {
    if (this.#outcome?.kind !== "pending" || !this.#answerable(this.#outcome.call)) return undefined;
    const { op, args } = this.#outcome.call;
    if (this.#response !== undefined) return this.#response;
    if (op === "receive") return this.#message(args[1] ?? 0);
    if (op !== "receive_within") return DONE;
    return this.#message(args[1] ?? 0) ?? { value: GUEST_ERRORS.E_TIMEOUT };
  }

  #message(capacity: number): CallResult | undefined {
    const [first] = this.#mailbox;
    if (first === undefined) return undefined;
    const [number, payload] = first;
    if (payload.length > capacity) return { value: GUEST_ERRORS.E_TOO_BIG };
    this.#mailbox.shift();
    this.#handling = number;
    return { value: payload.length, payload };
  }
}

/** Start an agent from its admitted module (`AgentModule.bytes`). It first runs in `run`. */
export function startAgentRun(
  program: AdmittedProgram,
  ports: AgentPorts,
  options: AgentRunOptions = {},
): AgentRun {
  return new AgentRun((host) => program.instantiate(options.limits ?? {}, host), ports, options);
}

/** Go on with an agent that was frozen, here or elsewhere. @throws what `AdmittedProgram.restore` throws */
export function resumeAgentRun(
  program: AdmittedProgram,
  frozen: FrozenAgent,
  ports: AgentPorts,
  options: AgentRunOptions = {},
): AgentRun {
  return new AgentRun(
    (host) => program.restore(frozen.image, options.limits ?? {}, host),
    ports,
    options,
    frozen,
  );
}

/**
 * Go on with an agent from the bytes of {@link AgentRun.pack} or `encodeFrozenAgent`. With the state its module starts from, which
 * bytes that were written with it need, the memory is put together where it goes on.
 * @throws what `decodeFrozenAgent` and `WasmProgram.wake` throw
 */
export function unpackAgentRun(
  program: WasmProgram,
  bytes: Uint8Array,
  ports: AgentPorts,
  options: AgentRunOptions = {},
  golden?: Checkpoint,
): AgentRun {
  const { head, increment, image } = openFrozenAgent(bytes, golden);
  const limits = options.limits ?? {};
  const make = (host: GuestHost): WasmInstance =>
    increment === undefined || golden === undefined
      ? program.restore(image(), limits, host)
      : program.wake(golden, increment, limits, host);
  return new AgentRun(make, ports, options, head);
}
