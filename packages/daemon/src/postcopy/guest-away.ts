/**
 * A guest whose pages are on their way, as the thread of the agents has it: its pages are put into its memory here, its steps are made in a thread of its
 * own, and when everything is there it comes over, with the memory that both threads have.
 *
 * GA1. It comes over between two steps: frames, globals and the pending call are copied, memory is not.
 * GA2. It is lost when its source is given up, sends something wrong, or its thread ends, before everything was there; then its thread is ended.
 * GA4. What it did with its capabilities, and its replies, are noted before the end of the step in which it did it, and before it comes over.
 * GA3. A step that takes longer than a step may, with every page there, ends the guest and its thread, and no other guest.
 */
import { MessageChannel, type MessagePort, type Worker } from "node:worker_threads";
import { RemoteError } from "@glia-os/abi/errors";
import { type CallResult, type EngineInstance, type PendingCall, PREEMPTED_OP } from "@glia-os/abi/ports";
import {
  type ArrivingPages,
  type AwayGuest,
  type AwayOutcome,
  BadImageError,
  type PagesArrival,
} from "@glia-os/cells";
import {
  type PostCopyHandover,
  PostCopyLostError,
  PostCopyTarget,
  type Presence,
  type WasmProgram,
} from "@glia-os/wasm";
import { GuestStuckError, ThreadGoneError } from "../errors.ts";
import { BoundElsewhere } from "./bound-elsewhere.ts";
import type { FromGuestThread, ToGuestThread } from "./guest-words.ts";

/** What it is made of. */
export interface GuestAwayParts {
  readonly arrival: PagesArrival;
  readonly presence: Presence;
  /** Ready for the guest. */
  readonly worker: Worker;
  readonly stepMs: number;
  /** Told once, when the thread is not needed any more. */
  readonly ended: () => void;
}

/** What a guest fails with that waited for a page in vain. */
const LOST = "wasm.postcopy-lost";

type Stepping = PromiseWithResolvers<AwayOutcome>;

/** One guest. */
export class GuestAway implements ArrivingPages, AwayGuest {
  readonly preemptible: boolean;
  readonly whole: Promise<EngineInstance>;
  readonly #parts: GuestAwayParts;
  readonly #target: PostCopyTarget;
  readonly #arrived = Promise.withResolvers<EngineInstance>();
  #handover: PostCopyHandover | undefined;
  #stepping: Stepping | undefined;
  /** Set from when it is asked to come over. */
  #coming: Promise<void> | undefined;
  #come: PromiseWithResolvers<PostCopyHandover["image"]> | undefined;
  #instance: EngineInstance | undefined;
  #pending: PendingCall | undefined;
  #watch: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(parts: GuestAwayParts, preemptible: boolean) {
    const { arrival, worker } = parts;
    this.#parts = parts;
    this.preemptible = preemptible;
    this.whole = this.#arrived.promise;
    this.whole.catch(() => undefined);
    this.#target = new PostCopyTarget(arrival.program as WasmProgram, arrival.limits, arrival.said);
    worker.on("message", (message: FromGuestThread) => this.#hear(message));
    worker.on("error", (error) => this.#fail(error));
    worker.on("exit", () => this.#fail(new ThreadGoneError()));
  }

  push(piece: Uint8Array): void {
    this.#target.push(piece);
  }

  finish(): AwayGuest {
    if (!this.#target.handedOver) throw new BadImageError("it ends before its guest was handed over");
    const handover = this.#target.take();
    this.#handover = handover;
    this.#pending = handover.image.pending;
    this.#tell({ handover }, [handover.port]);
    return this;
  }

  get memoryBytes(): number {
    return this.#handover?.memory.buffer.byteLength ?? 0;
  }

  /** As an instance has it: one that was pre-empted waits for nothing. */
  get pending(): PendingCall | undefined {
    return this.#pending?.op === PREEMPTED_OP ? undefined : this.#pending;
  }

  async step(result: CallResult | undefined, fuel: number): Promise<AwayOutcome> {
    // Without a turn between: what is asked for here goes out before anything asks the guest to come over.
    if (this.#coming !== undefined) await this.#coming;
    if (this.#instance !== undefined) return this.#instance.step(result, fuel);
    return this.#ask({ step: result, fuel, mayReply: this.#parts.arrival.mayReply() });
  }

  async stand(): Promise<AwayOutcome> {
    const call = this.#pending as PendingCall;
    if (this.#coming !== undefined) await this.#coming;
    return this.#instance === undefined ? this.#ask({ stand: call }) : { kind: "pending", call };
  }

  async #ask(message: ToGuestThread): Promise<AwayOutcome> {
    if (this.#ended) throw new ThreadGoneError();
    const stepping: Stepping = Promise.withResolvers();
    this.#stepping = stepping;
    this.#tell(message);
    this.#guard();
    const outcome = await stepping.promise;
    this.#pending = outcome.kind === "pending" ? outcome.call : undefined;
    if (this.#target.complete && (outcome.kind === "pending" || outcome.kind === "yielded"))
      await this.#comeOver();
    return outcome;
  }

  take(bytes: Uint8Array): boolean {
    try {
      this.#target.push(bytes);
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    if (!this.#target.complete) return false;
    this.#guard();
    if (this.#stepping === undefined) this.#comeOver().catch(() => undefined);
    return true;
  }

  lose(why: string): void {
    if (!this.#target.complete) this.#fail(new PostCopyLostError(this.#target.left, why));
  }

  dispose(): void {
    this.#fail(new ThreadGoneError());
  }

  #hear(message: FromGuestThread): void {
    const { host, noted } = this.#parts.arrival;
    if ("notes" in message) noted(message.notes);
    else if ("log" in message) host.log(...message.log);
    else if ("image" in message) this.#come?.resolve(message.image);
    else if ("refused" in message) this.#fail(new RemoteError(message.refused));
    else if ("end" in message) {
      const { end } = message;
      if (end.kind === "failed" && end.error.code === LOST) this.#fail(new RemoteError(end.error));
      this.#settle(end.kind === "failed" ? { kind: "failed", error: new RemoteError(end.error) } : end);
    }
  }

  #settle(outcome: AwayOutcome): void {
    clearTimeout(this.#watch);
    const stepping = this.#stepping;
    this.#stepping = undefined;
    stepping?.resolve(outcome);
  }

  /** GA3. */
  #guard(): void {
    if (this.#stepping === undefined || !this.#target.complete) return;
    const { stepMs } = this.#parts;
    const stuck = (): void => {
      this.#settle({ kind: "failed", error: new GuestStuckError(stepMs, stepMs) });
      this.#end();
    };
    clearTimeout(this.#watch);
    this.#watch = setTimeout(stuck, stepMs);
  }

  /** GA1. */
  #comeOver(): Promise<void> {
    if (this.#coming !== undefined) return this.#coming;
    if (this.#ended) return Promise.reject(new ThreadGoneError());
    this.#come = Promise.withResolvers();
    this.#tell({ leave: true });
    this.#coming = this.#come.promise.then((image) => this.#settleHere(image));
    this.#coming.catch((error: unknown) => this.#fail(error));
    return this.#coming;
  }

  #settleHere(image: PostCopyHandover["image"]): void {
    // Its image and its end may come in one turn: nobody would dispose of what is made of it.
    if (this.#ended) throw new ThreadGoneError();
    const { arrival, presence } = this.#parts;
    const { port1, port2 } = new MessageChannel();
    port1.close();
    const { memory, absent, control } = this.#handover as PostCopyHandover;
    const handover = { memory, absent, control, image, port: port2 as MessagePort };
    const program = arrival.program as WasmProgram;
    const { host, limits } = arrival;
    const capabilities = host.capabilities && new BoundElsewhere(host.capabilities);
    const withThem = capabilities === undefined ? host : { ...host, capabilities };
    this.#instance = program.arrive(presence, handover, limits, withThem);
    capabilities?.over();
    this.#end();
    this.#arrived.resolve(this.#instance);
  }

  /** GA2. */
  #fail(error: unknown): void {
    if (this.#ended) return;
    this.#end();
    this.#arrived.reject(error);
    this.#settle({ kind: "failed", error });
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#come?.reject(new ThreadGoneError());
    clearTimeout(this.#watch);
    this.#target.dispose();
    void this.#parts.worker.terminate();
    this.#parts.ended();
  }

  #tell(message: ToGuestThread, transfer: MessagePort[] = []): void {
    this.#parts.worker.postMessage(message, transfer);
  }
}
