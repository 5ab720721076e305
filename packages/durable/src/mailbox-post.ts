/**
 * The service by which durable domains send messages to one another (docs/spec/mail.md).
 *
 * MS2. Per pair of sender and receiver one delivery is out at a time, and the others wait in the order of their numbers.
 * MS3. Without an answer, or without room, it is made again, later and later. There is no last try: the sending task waits.
 * MS4. Who stops waiting takes back what is not out; nobody hears of what is.
 * MS5. When the outcome of a send is durable, the receiver is told.
 */

import type { Timers } from "@glia-os/abi/ports";
import type { Settle } from "@glia-os/kernel";
import type { ServiceCall } from "@glia-os/kernel/services";
import type { DurableCall } from "./durable-call.ts";
import { BadMailError, DomainUnknownError } from "./errors.ts";
import { DELIVERY_ITEMS, type Delivery, MAIL, type MailCarrier, type Receipt } from "./mailbox-delivery.ts";
import type { DurableService } from "./program.ts";

/** What a task asks of the service. */
export interface MailRequest {
  /** The name of the receiving domain: 1 to 128 printable ASCII characters. */
  readonly to: string;
  /** Plain data. */
  readonly message: unknown;
}

/** What a post office is made with. */
export interface PostOfficeOptions {
  readonly timers: Timers;
  /** Takes what is for none of the domains that are attached. Default: such messages are refused. */
  readonly elsewhere?: MailCarrier;
}

/** How long the first repetition waits, and the longest wait, in milliseconds. */
const FIRST_MS = 20;
const LONGEST_MS = 2_000;
/** Calls of the service that may be out at a time. */
const CALLS = 65_536;
const UNKNOWN = "durable.domain-unknown";

/** Carries messages between the domains that are attached to it, and to those elsewhere. One per process is enough. */
export class PostOffice {
  /** To be offered to programs as `mail`. */
  readonly service: DurableService;
  readonly #timers: Timers;
  readonly #elsewhere: MailCarrier | undefined;
  readonly #attached = new Set<MailCarrier>();
  readonly #links = new Map<string, Link>();

  constructor({ timers, elsewhere }: PostOfficeOptions) {
    this.#timers = timers;
    this.#elsewhere = elsewhere;
    const perform = (request: unknown, settle: Settle<unknown>, call: ServiceCall): (() => void) =>
      this.#send(checkedRequest(request), settle, checkedCall(call));
    this.service = { service: { kind: "tool", name: MAIL, concurrency: CALLS, perform }, repeatable: true };
  }

  /** Deliver to these domains too. `Domains` that are made with this post office attach themselves, and detach when they are closed. */
  attach(domains: MailCarrier): void {
    this.#attached.add(domains);
  }

  /** Deliver to these domains no longer. */
  detach(domains: MailCarrier): void {
    this.#attached.delete(domains);
  }

  #send({ to, message }: MailRequest, settle: Settle<unknown>, call: DurableCall): () => void {
    const key = `${call.sender} ${to}`;
    const link =
      this.#links.get(key) ?? new Link(this.#timers, call.sender, to, this, () => this.#links.delete(key));
    this.#links.set(key, link);
    return link.add({ number: call.intentAt, message, settle, call, withdrawn: false });
  }

  /** Deliver to whoever has the receiver. Internal. */
  async deliver(delivery: Delivery): Promise<Receipt> {
    for (const domains of this.#attached) {
      const receipt = await domains.deliver(delivery);
      if (codeOf(receipt.refusal) !== UNKNOWN) return receipt;
    }
    if (this.#elsewhere !== undefined) return await this.#elsewhere.deliver(delivery);
    return { accepted: 0, state: "ok", token: 0, refusal: new DomainUnknownError(delivery.to) };
  }

  /** Tell whoever may have the receiver. Internal. */
  settled(from: string, to: string, number: number): void {
    for (const domains of this.#attached) domains.settled(from, to, number);
    this.#elsewhere?.settled(from, to, number);
  }
}

/** A message that waits for its receipt. */
interface Waiting {
  readonly number: number;
  readonly message: unknown;
  readonly settle: Settle<unknown>;
  readonly call: DurableCall;
  /** Its task stopped waiting. */
  withdrawn: boolean;
}

/** The messages of one sender for one receiver. */
class Link {
  readonly #timers: Timers;
  readonly #from: string;
  readonly #to: string;
  readonly #carrier: MailCarrier;
  readonly #emptied: () => void;
  /** In the order of their numbers. */
  #queue: Waiting[] = [];
  #token = 0;
  #waitMs = FIRST_MS;
  /** A delivery is out, or the next one waits for its time. */
  #busy = false;

  constructor(timers: Timers, from: string, to: string, carrier: MailCarrier, emptied: () => void) {
    this.#timers = timers;
    this.#from = from;
    this.#to = to;
    this.#carrier = carrier;
    this.#emptied = emptied;
  }

  /** Send a message, behind those that were sent before. Returns what takes it back. */
  add(waiting: Waiting): () => void {
    const at = this.#queue.findLastIndex(({ number }) => number < waiting.number) + 1;
    this.#queue.splice(at, 0, waiting);
    if (!this.#busy) this.#deliver();
    return () => {
      waiting.withdrawn = true;
    };
  }

  #deliver(): void {
    this.#busy = false;
    this.#queue = this.#queue.filter(({ withdrawn }) => !withdrawn);
    if (this.#queue.length === 0) {
      this.#emptied();
      return;
    }
    this.#busy = true;
    const messages = this.#next().map(({ number, message }) => ({ number, message }));
    if (messages.length === 0) {
      this.#later();
      return;
    }
    const [from, to, token] = [this.#from, this.#to, this.#token];
    this.#carrier.deliver({ from, to, token, messages }).then(
      (receipt) => this.#answered(receipt),
      () => this.#later(),
    );
  }

  /** What is to be delivered next: nothing before an earlier message that is still held up elsewhere, such as by who approves it (MS2). */
  #next(): readonly Waiting[] {
    const first = this.#queue.slice(0, DELIVERY_ITEMS);
    const here = new Set(this.#queue.map(({ number }) => number));
    const isMine = (request: unknown): boolean => (request as Partial<MailRequest> | null)?.to === this.#to;
    const ahead = (first.at(-1) as Waiting).call.ahead(isMine).filter((number) => !here.has(number));
    const held = Math.min(...ahead);
    return first.filter(({ number }) => number < held);
  }

  #answered({ accepted, state, token, refusal }: Receipt): void {
    if (state === "stale") this.#token = token;
    const done = this.#queue.findLastIndex(({ number }) => number <= accepted) + 1;
    for (const waiting of this.#queue.splice(0, done)) this.#accepted(waiting);
    const refused = refusal === undefined ? undefined : this.#queue.shift();
    refused?.settle.fail(refusal);
    const moved = done > 0 || refused !== undefined || state === "stale";
    if (moved) this.#waitMs = FIRST_MS;
    if (moved && (state === "ok" || state === "stale")) this.#deliver();
    else this.#later();
  }

  #accepted({ number, settle, call }: Waiting): void {
    // Asked for before the outcome is recorded, so that it is not missed (MS5).
    call.recorded().then(
      () => this.#carrier.settled(this.#from, this.#to, number),
      () => {},
    );
    settle.ok(null);
  }

  #later(): void {
    this.#timers.schedule(this.#waitMs, () => this.#deliver());
    this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_MS);
  }
}

const NAME = /^[\x20-\x7e]{1,128}$/;

function checkedRequest(request: unknown): MailRequest {
  if (typeof request !== "object" || request === null)
    throw new BadMailError("it is no object {to, message}");
  const { to, message } = request as Partial<MailRequest>;
  if (typeof to !== "string" || !NAME.test(to))
    throw new BadMailError("to does not have 1 to 128 printable ASCII characters");
  return { to, message };
}

function checkedCall(call: ServiceCall): DurableCall {
  const { sender, intentAt = 0 } = call as Partial<DurableCall>;
  if (sender === undefined || intentAt === 0) throw new BadMailError("it was sent by no durable domain");
  return call as DurableCall;
}

function codeOf(refusal: unknown): unknown {
  return (refusal as { readonly code?: unknown } | null | undefined)?.code;
}
