/**
 * Guests in several threads. Each guest stays in the thread it was placed in; the calling thread only gives commands.
 *
 * GP1. A new guest goes where the fewest are.
 * GP2. A thread that dies or hangs takes its guests with it: each ends as `lost`, what was asked of them is refused, and a new
 *      thread with the same programs takes its place. Guests of other threads notice nothing.
 * GP3. Every promise is settled once: with what happened, or with an error that says what did not.
 * GP4. Everything is bounded: threads, guests, commands that wait in a thread, and what {@link GuestOptions} bounds.
 */
import { availableParallelism } from "node:os";
import { type ErrorRecord, RemoteError } from "@glia-os/abi/errors";
import type { GuestListener, GuestPlace, GuestPlacement, PlacedGuest } from "@glia-os/abi/ports";
import {
  BadMessageError,
  GuestLostError,
  GuestUnknownError,
  NoReplyError,
  PoolClosedError,
  ProgramUnknownError,
  TooManyGuestsError,
  WorkerFailedError,
} from "../scheduler/errors.ts";
import type { GuestOptions, SchedulerCounts } from "../scheduler/index.ts";
import type { Command, EndRecord, Report } from "./messages.ts";
import { completePoolOptions, type GuestPoolOptions, type PoolTerms } from "./options.ts";
import { type Death, WorkerLink } from "./worker-link.ts";

interface Program {
  readonly bytes: Uint8Array;
  readonly grants: readonly string[];
}

interface Settle {
  readonly link: WorkerLink;
  readonly guest: number | undefined;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

interface Placed {
  readonly link: WorkerLink;
  /** Who performs its calls, when it was placed for that. */
  readonly listener: GuestListener | undefined;
  /** The number in the thread's heartbeat; 0 until the thread has said it. */
  inside: number;
}

type Asking = Extract<Command, { readonly request: number }>;
type WithoutRequest<One> = One extends Asking ? Omit<One, "request"> : never;

const NAME = /^[\x21-\x7e]{1,64}$/;

/** Guests in threads; make one with {@link createGuestPool}. */
export class GuestPool {
  readonly #terms: PoolTerms;
  readonly #links: WorkerLink[] = [];
  readonly #programs = new Map<string, Program>();
  readonly #guests = new Map<number, Placed>();
  readonly #requests = new Map<number, Settle>();
  readonly #asked = new Map<number, Settle>();
  readonly #timer: NodeJS.Timeout;
  #numbers = 0;
  #closed = false;

  constructor(terms: PoolTerms) {
    this.#terms = terms;
    for (let left = terms.workers; left > 0; left--) this.#start();
    this.#timer = setInterval(() => this.#watch(), terms.watchMs);
    this.#timer.unref();
  }

  /** Guests in all threads. */
  get size(): number {
    return this.#guests.size;
  }

  /** Threads that run, or are being started. */
  get workers(): number {
    return this.#links.length;
  }

  /**
   * Admit a program in every thread, also in those that replace others later.
   * @throws PoolClosedError, ProgramUnknownError for a name that is taken or unusable; RemoteError with what admission refused
   */
  async admit(name: string, bytes: Uint8Array, grants: readonly string[]): Promise<void> {
    if (!NAME.test(name)) throw new ProgramUnknownError(name, "has no usable name");
    if (this.#programs.has(name)) throw new ProgramUnknownError(name, "is admitted already");
    const program = { bytes: bytes.slice(), grants: [...grants] };
    this.#programs.set(name, program);
    try {
      const links = this.#running();
      await Promise.all(links.map((link) => this.#request(link, { kind: "admit", name, ...program })));
    } catch (error) {
      this.#programs.delete(name);
      throw error;
    }
  }

  /** A new guest; its number. @throws PoolClosedError, TooManyGuestsError, ProgramUnknownError, PoolBusyError, RemoteError */
  spawn(program: string, options?: GuestOptions): Promise<number> {
    return this.#place(program, options, undefined);
  }

  /** A guest that continues a snapshot. @throws as {@link spawn} */
  restore(program: string, snapshot: Uint8Array, options?: GuestOptions): Promise<number> {
    return this.#place(program, options, snapshot);
  }

  /**
   * The threads of this pool as a place for guests of a program that tasks attend to: see `placedGuestProgram` of
   * `@glia-os/kernel/guests`. Its `place` throws PoolClosedError, TooManyGuestsError, ProgramUnknownError, PoolBusyError.
   */
  place(program: string): GuestPlace {
    return { place: (placement, listener) => this.#attend(program, placement, listener) };
  }

  /**
   * Give a guest a message and forget about it.
   * @throws PoolClosedError, GuestUnknownError, BadMessageError, PoolBusyError
   */
  tell(guest: number, payload: Uint8Array): void {
    this.#placed(guest).link.send({ kind: "post", guest, token: 0, payload: own(payload) });
  }

  /**
   * Give a guest a message; its reply. @throws PoolClosedError, GuestUnknownError, BadMessageError, PoolBusyError, NoReplyError, GuestLostError,
   * RemoteError with what the thread refused
   */
  async ask(guest: number, payload: Uint8Array): Promise<Uint8Array> {
    const { link } = this.#placed(guest);
    const token = ++this.#numbers;
    link.send({ kind: "post", guest, token, payload: own(payload) });
    return new Promise<Uint8Array>((resolve, reject) => {
      this.#asked.set(token, { link, guest, resolve, reject });
    });
  }

  /** End a guest. @throws PoolClosedError, GuestUnknownError, PoolBusyError, GuestLostError */
  async stop(guest: number): Promise<void> {
    await this.#request(this.#placed(guest).link, { kind: "stop", guest });
  }

  /** The whole state of a guest, which goes on. @throws PoolClosedError, GuestUnknownError, PoolBusyError, GuestLostError, RemoteError */
  async snapshot(guest: number): Promise<Uint8Array> {
    return await this.#request<Uint8Array>(this.#placed(guest).link, { kind: "snapshot", guest });
  }

  /** Put up to `most` guests of each thread away that wait; how many it were. @throws PoolClosedError, PoolBusyError */
  async hibernateIdle(most: number): Promise<number> {
    const links = this.#running();
    const done = await Promise.all(
      links.map((link) => this.#request<number>(link, { kind: "hibernate", most })),
    );
    return done.reduce((sum, one) => sum + one, 0);
  }

  /** What each thread holds. @throws PoolClosedError, PoolBusyError */
  async counts(): Promise<readonly SchedulerCounts[]> {
    const links = this.#running();
    return await Promise.all(links.map((link) => this.#request<SchedulerCounts>(link, { kind: "counts" })));
  }

  /** End all threads. What was not answered is refused with PoolClosedError; guests are told of no more. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const waiting of [this.#requests, this.#asked]) {
      for (const { reject } of waiting.values()) reject(new PoolClosedError());
      waiting.clear();
    }
    const guests = [...this.#guests.values()];
    this.#guests.clear();
    for (const { listener } of guests)
      tell(() => listener?.ended({ kind: "failed", error: new PoolClosedError() }));
    await Promise.all(this.#links.map((link) => link.close()));
  }

  #running(): readonly WorkerLink[] {
    if (this.#closed) throw new PoolClosedError();
    return [...this.#links];
  }

  #placed(guest: number): Placed {
    if (this.#closed) throw new PoolClosedError();
    const placed = this.#guests.get(guest);
    if (placed === undefined) throw new GuestUnknownError(guest);
    return placed;
  }

  async #place(
    program: string,
    options: GuestOptions | undefined,
    snapshot: Uint8Array | undefined,
  ): Promise<number> {
    const { guest, placed } = this.#seat(program, undefined);
    const made = this.#request<number>(placed.link, { kind: "spawn", guest, program, options, snapshot });
    this.#guests.set(guest, placed);
    placed.link.guests += 1;
    try {
      placed.inside = await made;
      return guest;
    } catch (error) {
      this.#forget(guest);
      throw error;
    }
  }

  #attend(program: string, placement: GuestPlacement, listener: GuestListener): PlacedGuest {
    const { guest, placed } = this.#seat(program, listener);
    const { link } = placed;
    const made = this.#request<number>(link, { kind: "attend", guest, program, placement });
    this.#guests.set(guest, placed);
    link.guests += 1;
    made.then(
      (inside) => {
        placed.inside = inside;
      },
      (error: unknown) => this.#over(guest, (to) => to.ended({ kind: "failed", error })),
    );
    const there = (): boolean => this.#guests.get(guest) === placed;
    return {
      goOn: (answer) => {
        if (there()) link.put({ kind: "goOn", guest, answer });
      },
      end: () => {
        if (!there()) return;
        this.#forget(guest);
        link.put({ kind: "stop", request: 0, guest });
      },
    };
  }

  /** A guest that is to be told of no more but this. */
  #over(guest: number, last: (to: GuestListener) => void): void {
    const listener = this.#guests.get(guest)?.listener;
    this.#forget(guest);
    if (listener !== undefined) tell(() => last(listener));
  }

  /** Where the next guest goes (GP1). */
  #seat(
    program: string,
    listener: GuestListener | undefined,
  ): { readonly guest: number; readonly placed: Placed } {
    const links = this.#running();
    if (!this.#programs.has(program)) throw new ProgramUnknownError(program, "is not admitted here");
    if (this.#guests.size >= this.#terms.guests) throw new TooManyGuestsError(this.#terms.guests);
    const [first] = links;
    if (first === undefined) throw new WorkerFailedError("is not there: none could be started");
    const link = links.reduce((least, one) => (one.guests < least.guests ? one : least), first);
    return { guest: ++this.#numbers, placed: { link, listener, inside: 0 } };
  }

  #forget(guest: number): void {
    const placed = this.#guests.get(guest);
    if (placed === undefined) return;
    placed.link.guests -= 1;
    this.#guests.delete(guest);
  }

  #request<Value = number>(link: WorkerLink, command: WithoutRequest<Asking>): Promise<Value> {
    const request = ++this.#numbers;
    const guest = "guest" in command ? command.guest : undefined;
    link.send({ ...command, request } as Asking);
    return new Promise<Value>((resolve, reject) => {
      this.#requests.set(request, { link, guest, resolve, reject });
    });
  }

  #start(): void {
    const { guests, liveGuests, workers, idleMs, setup, hangMs } = this.#terms;
    const share = Math.max(1, Math.floor(liveGuests / workers));
    const start = { guests, liveGuests: share, idleMs, setup };
    const link: WorkerLink = new WorkerLink(start, hangMs, {
      heard: (report) => this.#heard(report),
      died: (death) => this.#died(link, death),
    });
    this.#links.push(link);
    this.#admitAgain(link).then(
      () => {
        link.proven = true;
      },
      (cause: unknown) => link.end(`was ended: it could not admit its programs again (${String(cause)})`),
    );
  }

  async #admitAgain(link: WorkerLink): Promise<void> {
    const ready = this.#request(link, { kind: "ping" });
    const programs = [...this.#programs].map(([name, program]) =>
      this.#request(link, { kind: "admit", name, ...program }),
    );
    await Promise.all([ready, ...programs]);
  }

  #watch(): void {
    const nowMs = performance.now();
    for (const link of this.#links) link.check(nowMs);
  }

  #heard(report: Report): void {
    const { events } = this.#terms;
    if (report.kind === "done") this.#take(this.#requests, report.request)?.resolve(report.value as never);
    else if (report.kind === "refused")
      this.#take(this.#requests, report.request)?.reject(new RemoteError(report.error));
    else if (report.kind === "replied")
      this.#take(this.#asked, report.token)?.resolve(report.payload as never);
    else if (report.kind === "unanswered") this.#unanswered(report.token, report.error);
    else if (report.kind === "logged") tell(() => events.logged?.(report.guest, report.level, report.text));
    else if (report.kind === "output") tell(() => events.output?.(report.guest, report.stream, report.bytes));
    else if (report.kind === "news") this.#news(report);
    else if (report.kind === "ended") this.#ended(report.guest, report.end);
  }

  #news({ guest, news }: Report & { kind: "news" }): void {
    const listener = this.#guests.get(guest)?.listener;
    if (listener !== undefined) tell(() => listener.news(news));
  }

  #take(waiting: Map<number, Settle>, number: number): Settle | undefined {
    const settle = waiting.get(number);
    waiting.delete(number);
    return settle;
  }

  #unanswered(token: number, error: ErrorRecord | undefined): void {
    const settle = this.#take(this.#asked, token);
    settle?.reject(error === undefined ? new NoReplyError(settle.guest ?? 0) : new RemoteError(error));
  }

  #ended(guest: number, end: EndRecord): void {
    const placed = this.#guests.get(guest);
    if (placed === undefined) return;
    const { events } = this.#terms;
    const told = end.kind === "failed" ? { ...end, error: new RemoteError(end.error) } : end;
    if (placed.listener !== undefined) {
      if (told.kind !== "stopped") this.#over(guest, (to) => to.ended(told));
      return;
    }
    this.#forget(guest);
    tell(() => events.ended?.(guest, told));
  }

  /** A thread is gone (GP2). One that never came to have all programs is not replaced. */
  #died(link: WorkerLink, { why, running, cause }: Death): void {
    this.#links.splice(this.#links.indexOf(link), 1);
    if (this.#closed) return;
    const lost = [...this.#guests].filter(([, placed]) => placed.link === link);
    const culprit = lost.find(([, { inside }]) => inside !== 0 && inside === running)?.[0];
    for (const [guest] of lost) this.#forget(guest);
    for (const waiting of [this.#requests, this.#asked])
      for (const [number, settle] of waiting) {
        if (settle.link !== link) continue;
        waiting.delete(number);
        const { guest } = settle;
        settle.reject(
          guest === undefined ? new WorkerFailedError(why, cause) : new GuestLostError(guest, why, culprit),
        );
      }
    if (link.proven) this.#start();
    for (const [guest, { listener }] of lost) {
      const error = new GuestLostError(guest, why, culprit);
      tell(() => {
        if (listener === undefined) this.#terms.events.ended?.(guest, { kind: "lost", error });
        else listener.ended({ kind: "failed", error });
      });
    }
  }
}

/** Bytes that can be posted: a view would take all of the memory behind it along. */
function own(payload: Uint8Array): Uint8Array {
  if (!(payload instanceof Uint8Array)) throw new BadMessageError(payload);
  const { buffer, length } = payload;
  return buffer instanceof ArrayBuffer && buffer.byteLength === length ? payload : payload.slice();
}

/** What a listener throws is its own business: it comes out of the event loop, and everybody else is told all the same (GP3). */
function tell(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Start a pool. Its threads start meanwhile; what they are told waits for them. @throws BadGuestOptionError */
export function createGuestPool(options: GuestPoolOptions = {}): GuestPool {
  return new GuestPool(completePoolOptions(options, availableParallelism()));
}
