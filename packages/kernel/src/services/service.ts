/**
 * Services: what the shell offers tasks of the world outside, behind capabilities. A tool, an HTTP client, a tree of files, a model, a person
 * who approves.
 *
 * SE1. A task reaches a service by a handle only, with the right its call needs; a service has no name a task could guess.
 * SE2. At most `concurrency` calls of one service are out at a time; others wait in line, first come, first served. A task has one call.
 * SE3. A call is settled once. When its task is cancelled or killed, or loses its right, it is given up: a call in line never starts, one
 *      that is out is told by the function its `perform` returned, and its place is free at once.
 * SE5. A call whose outcome is recorded already does not begin: its task goes on with the outcome at once, as it would after a wait in which
 *      nothing else happened (`recorded.ts`).
 * SE4. Every call has a number within its task, and so a key that is the same in every run of the same program (`ServiceCall`).
 */
import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import { meterOf, type ServiceMeter } from "../budget/service-meter.ts";
import type { KernelObject } from "../capability-table.ts";
import type { Settle, Start } from "../effect.ts";
import { BadOptionError } from "../errors.ts";
import { whole } from "../mailbox.ts";
import { APPROVE, EXEC, FETCH, FILE, MODEL } from "../opcodes.ts";
import { checkOptions } from "../options.ts";
import { shown } from "../shown.ts";
import { type TaskId, TaskList } from "../task.ts";
import type { RecordedOutcomes } from "./recorded-outcomes.ts";

/** What a service is for; each kind has a syscall of its own: `exec`, `fetch`, `file`, `model`, `approve`. */
export type ServiceKind = "tool" | "http" | "files" | "model" | "approver";

/** Facts of one call that the service may use. */
export interface ServiceCall {
  readonly task: TaskId;
  /** The path of the task. */
  readonly path: string;
  /** From 1: which call of a service of its task this is. */
  readonly number: number;
  /** `PATH#NUMBER`: the same when the same program runs again. For idempotency keys, under a name that tells one program from another. */
  readonly key: string;
}

/** What the shell puts behind a service. */
export interface Service<Request = unknown> {
  readonly kind: ServiceKind;
  /** For people: at most 128 characters. */
  readonly name: string;
  /** Calls out at a time: 1 to 65,536, default 256. */
  readonly concurrency?: number;
  /** Reads what calls cost. Default: that of its kind (`budget/service-meter.ts`). Durable domains always take that of the kind. */
  readonly meter?: ServiceMeter;
  /** Knows outcomes of calls before they begin (SE5). For replays. */
  readonly recorded?: RecordedOutcomes;
  /**
   * Begin a call; it settles at once or later. May return a function that gives it up. What it throws fails the call. The request was
   * checked (`requests.ts`) and belongs to the service.
   */
  perform(request: Request, settle: Settle<unknown>, call: ServiceCall): (() => void) | undefined;
}

const CONCURRENCY = 256;
const CONCURRENCY_MOST = 65_536;
const NAME_LIMIT = 128;

/** The syscall of each kind, and the rights its first capability has besides those to hand it on and take it back. */
export const SERVICE_KINDS: Readonly<Record<ServiceKind, { readonly op: number; readonly rights: Rights }>> =
  {
    tool: { op: EXEC, rights: RIGHTS.exec },
    http: { op: FETCH, rights: RIGHTS.exec },
    files: { op: FILE, rights: RIGHTS.read | RIGHTS.write },
    model: { op: MODEL, rights: RIGHTS.exec },
    approver: { op: APPROVE, rights: RIGHTS.approve },
  };

/**
 * A service as an object of capabilities, with its line of calls (SE2). For shells that put calls of several kernels into one line;
 * a task's calls get here by `Kernel.service`.
 */
export class KernelService implements KernelObject {
  readonly kind: ServiceKind;
  readonly name: string;
  readonly meter: ServiceMeter;
  receivers = 0;
  /** Nobody receives from a service. */
  readonly takers: TaskList = new TaskList();
  readonly #service: Service;
  readonly #concurrency: number;
  readonly #line = new Set<Turn>();
  #out = 0;

  constructor(service: Service) {
    checkOptions("a service", service);
    const { kind, name, concurrency = CONCURRENCY } = service;
    if (!Object.hasOwn(SERVICE_KINDS, kind))
      throw new BadOptionError("the kind of a service", kind, Object.keys(SERVICE_KINDS).join(", "));
    if (typeof service.perform !== "function")
      throw new BadOptionError("perform", typeof service.perform, "a function");
    whole("a service's concurrency", concurrency, 1, CONCURRENCY_MOST);
    this.kind = kind;
    this.name = shown(name, NAME_LIMIT);
    this.meter = service.meter ?? meterOf(kind);
    this.#service = service;
    this.#concurrency = concurrency;
  }

  /** The rights of the capability the shell gets. */
  get rights(): Rights {
    return SERVICE_KINDS[this.kind].rights | RIGHTS.grant | RIGHTS.revoke | RIGHTS.name;
  }

  /** Calls out, and calls in line. */
  get load(): { readonly out: number; readonly waiting: number } {
    return { out: this.#out, waiting: this.#line.size };
  }

  /** Who may know the outcome of a call that would begin at once; null for nobody. */
  get recorded(): RecordedOutcomes | null {
    return this.#out < this.#concurrency ? (this.#service.recorded ?? null) : null;
  }

  /** A call as an effect. */
  start(request: unknown, call: ServiceCall): Start<unknown> {
    return (settle) => this.enter(settle, request, call);
  }

  /** Begin a call or put it into the line. Returns what gives it up, and says then whether it was out. */
  enter(settle: Settle<unknown>, request: unknown, call: ServiceCall): () => boolean {
    const turn = new Turn(this, settle, request, call);
    if (this.#out < this.#concurrency) this.#begin(turn);
    else this.#line.add(turn);
    return () => this.#giveUp(turn);
  }

  /** A call that was out is over: the next in line begins (SE2). */
  ended(turn: Turn): void {
    if (turn.over) return;
    turn.over = true;
    this.#out--;
    for (const next of this.#line) {
      this.#line.delete(next);
      this.#begin(next);
      return;
    }
  }

  #begin(turn: Turn): void {
    this.#out++;
    try {
      const stop = this.#service.perform(turn.request, turn, turn.call);
      if (typeof stop === "function" && !turn.over) turn.stop = stop;
    } catch (error) {
      turn.fail(error);
    }
  }

  #giveUp(turn: Turn): boolean {
    if (this.#line.delete(turn)) return false;
    const stop = turn.stop;
    turn.stop = undefined;
    try {
      stop?.();
    } finally {
      this.ended(turn);
    }
    return true;
  }
}

/** One call: reports back for its service. */
class Turn implements Settle<unknown> {
  readonly request: unknown;
  readonly call: ServiceCall;
  over = false;
  stop: (() => void) | undefined;
  readonly #service: KernelService;
  readonly #settle: Settle<unknown>;

  constructor(service: KernelService, settle: Settle<unknown>, request: unknown, call: ServiceCall) {
    this.#service = service;
    this.#settle = settle;
    this.request = request;
    this.call = call;
  }

  ok(value: unknown): boolean {
    if (this.over) return false;
    const wanted = this.#settle.ok(value);
    this.#service.ended(this);
    return wanted;
  }

  fail(error: unknown): boolean {
    if (this.over) return false;
    const wanted = this.#settle.fail(error);
    this.#service.ended(this);
    return wanted;
  }
}
