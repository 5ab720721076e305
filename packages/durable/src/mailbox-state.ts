/**
 * The inbox of a domain as far as records have to know it: who sent what, and which messages could not be handled (docs/spec/mail.md).
 *
 * ML7. A failure after exactly one message is that message's: it is tried again from the last beginning, up to a number of times.
 * ML8. Then it is set aside. The newest {@link ASIDE_MOST} are kept, as far as they have {@link ASIDE_BYTES}, the newest in any case; older ones
 *      are counted.
 */
import { toErrorRecord } from "@glia-os/abi/errors";
import { encode, rfc8949EncodeOptions } from "cborg";
import { type LinkRow, MailboxLinks } from "./mailbox-links.ts";

/** A message that was set aside. */
export interface AsideMessage {
  /** As the program got it: a `Mail`, or what came from outside. */
  readonly message: unknown;
  /** How often it was tried. */
  readonly attempts: number;
  /** The code of the last failure, and what it said. */
  readonly code: string;
  readonly text: string;
}

/** What a checkpoint carries of it. */
export interface MailboxForm {
  readonly origin: string;
  readonly rows: readonly LinkRow[];
  readonly forgottenAt: number;
  /** Failures after the first message of the inbox. */
  readonly attempts: number;
  readonly aside: readonly AsideMessage[];
  /** Messages that were set aside and are no longer kept. */
  readonly dropped: number;
}

/** How a domain goes on after a failure. */
export interface AfterFailure {
  readonly form: MailboxForm;
  readonly inbox: readonly unknown[];
}

/** Messages set aside that are kept. */
export const ASIDE_MOST = 100;
/** Bytes of their encoding that are kept; a single one may have more. */
export const ASIDE_BYTES = 262_144;
const TEXT = 1_000;

/** One domain's, between two beginnings. */
export class MailboxState {
  readonly origin: string;
  readonly links: MailboxLinks;
  readonly aside: readonly AsideMessage[];
  readonly dropped: number;
  readonly #attempts: number;
  readonly #sends: boolean;
  /** Messages that came since the beginning, and the first of them. */
  #came = 0;
  #first: unknown;

  /** `sends`: the domain uses `mail`, so that it needs its origin. */
  constructor(origin: string, sends: boolean, form?: MailboxForm) {
    this.origin = form?.origin ?? origin;
    this.links = new MailboxLinks(form);
    this.aside = form?.aside ?? [];
    this.dropped = form?.dropped ?? 0;
    this.#attempts = form?.attempts ?? 0;
    this.#sends = sends;
  }

  /** A message was put into the inbox. */
  came(message: unknown): void {
    if (this.#came === 0) this.#first = message;
    this.#came += 1;
  }

  /** What the next checkpoint carries; undefined for a domain that has to do with no mail. */
  get form(): MailboxForm | undefined {
    if (!this.#sends && this.links.isEmpty && this.aside.length === 0 && this.#attempts === 0)
      return undefined;
    return this.#formWith(0, this.aside, this.dropped);
  }

  /**
   * What a failure of the root task comes to, where a message may be tried so often, when this is left in the inbox and so much has room;
   * undefined when it is no message's (ML7).
   */
  afterFailure(
    limit: number,
    error: unknown,
    untaken: readonly unknown[],
    room: number,
  ): AfterFailure | undefined {
    if (this.#came - untaken.length !== 1) return undefined;
    const attempts = this.#attempts + 1;
    if (attempts < limit && untaken.length < room)
      return { form: this.#formWith(attempts, this.aside, this.dropped), inbox: [this.#first, ...untaken] };
    const { code, message: text } = toErrorRecord(error);
    const letter = { message: this.#first, attempts, code, text: text.slice(0, TEXT) };
    const kept = newest([...this.aside, letter]);
    const dropped = this.dropped + this.aside.length + 1 - kept.length;
    return { form: this.#formWith(0, kept, dropped), inbox: untaken };
  }

  #formWith(attempts: number, aside: readonly AsideMessage[], dropped: number): MailboxForm {
    return { origin: this.origin, ...this.links.form, attempts, aside, dropped };
  }
}

/** The newest that are kept (ML8). */
function newest(letters: readonly AsideMessage[]): readonly AsideMessage[] {
  const sizes = letters.map((each) => encode(partsOf(each), rfc8949EncodeOptions).length);
  let [from, bytes] = [letters.length, 0];
  while (from > 0 && letters.length - from < ASIDE_MOST) {
    bytes += sizes[from - 1] as number;
    if (bytes > ASIDE_BYTES && from < letters.length) break;
    from -= 1;
  }
  return letters.slice(from);
}

type Parts = [message: unknown, attempts: number, code: string, text: string];

function partsOf({ message, attempts, code, text }: AsideMessage): Parts {
  return [message, attempts, code, text];
}

/** A form as it stands in a record. */
export function encodableForm({
  origin,
  rows,
  forgottenAt,
  attempts,
  aside,
  dropped,
}: MailboxForm): readonly unknown[] {
  return [origin, rows, forgottenAt, attempts, aside.map(partsOf), dropped];
}

/** A form out of a record. */
export function formOfParts(parts: unknown): MailboxForm {
  const [origin, rows, forgottenAt, attempts, aside, dropped] = parts as [
    string,
    readonly LinkRow[],
    number,
    number,
    readonly Parts[],
    number,
  ];
  const letters = aside.map(([message, tried, code, text]) => ({ message, attempts: tried, code, text }));
  return { origin, rows, forgottenAt, attempts, aside: letters, dropped };
}
