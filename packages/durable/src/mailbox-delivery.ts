/** What goes between the sides of durable mail (docs/spec/mail.md). */

/** A message on its way. */
export interface MailItem {
  /** Grows from message to message of a sender; below 2^53. */
  readonly number: number;
  /** Plain data. */
  readonly message: unknown;
}

/** What one sender has for one receiver. */
export interface Delivery {
  /** The sender: 16 hexadecimal digits, a colon, the name of its domain. */
  readonly from: string;
  /** The name of the receiving domain. */
  readonly to: string;
  /** The token of the last receipt; 0 before there was one. */
  readonly token: number;
  /** 1 to {@link DELIVERY_ITEMS}, by number. */
  readonly messages: readonly MailItem[];
}

/**
 * Why a delivery was not accepted whole: no room, the receiver does not run there now, or the token is older than what the receiver
 * remembers of senders.
 */
export type DeliveryState = "ok" | "full" | "resting" | "stale";

/** What became of a delivery. */
export interface Receipt {
  /** Every message of the delivery up to this number is in the journal of the receiver, flushed; 0 for none. */
  readonly accepted: number;
  readonly state: DeliveryState;
  /** What to deliver with from now on. */
  readonly token: number;
  /** What the first message that was not accepted is refused with, for good. */
  readonly refusal?: unknown;
}

/** Brings deliveries to domains that run elsewhere. It may lose, repeat and delay them, and knows that senders are who they say they are. */
export interface MailCarrier {
  /** Resolves with what the receiver's `Domains.deliver` said. What it rejects with is no answer: the delivery is made again. */
  deliver(delivery: Delivery): Promise<Receipt>;
  /** Tell the receiver that everything up to this number is settled. May get lost. */
  settled(from: string, to: string, number: number): void;
}

/** What a program finds in its inbox when another domain sent it something. */
export interface Mail<Message = unknown> {
  /** The name of the domain that sent it. */
  readonly from: string;
  readonly message: Message;
}

/** Most messages of one delivery. */
export const DELIVERY_ITEMS = 64;
/** The service that sends, as programs name it in `uses`. */
export const MAIL = "mail";

const DIGITS = 16;

/** A sender: what a domain is from its start to its removal, whoever has its name later. */
export function senderOf(origin: string, domain: string): string {
  return `${origin}:${domain}`;
}

/** The name of a sender's domain. */
export function nameOfSender(sender: string): string {
  return sender.slice(DIGITS + 1);
}

/** The digits that tell a domain from later ones of its name: the first bytes of its first seed. */
export function originOf(seed: Uint8Array): string {
  let digits = "";
  for (let i = 0; i < DIGITS; i++)
    digits += (((seed[i >> 1] ?? 0) >> (i % 2 === 0 ? 4 : 0)) & 15).toString(16);
  return digits;
}

const SENDER = /^[0-9a-f]{16}:[\x20-\x7e]{1,128}$/;

/** Why something that came from elsewhere is no delivery; undefined for one that is. */
export function faultOf(delivery: unknown): string | undefined {
  if (typeof delivery !== "object" || delivery === null) return "it is no object";
  const { from, to, token, messages } = delivery as Partial<Delivery>;
  if (typeof from !== "string" || !SENDER.test(from)) return "from is no sender";
  if (typeof to !== "string" || to === "") return "to names no domain";
  if (!Number.isSafeInteger(token) || (token as number) < 0) return "token is no number of a record";
  if (!Array.isArray(messages) || messages.length === 0 || messages.length > DELIVERY_ITEMS)
    return `messages is no list of 1 to ${DELIVERY_ITEMS}`;
  let last = 0;
  for (const each of messages as readonly (MailItem | null)[]) {
    const number = each?.number;
    if (!Number.isSafeInteger(number) || (number as number) <= last)
      return "the numbers of its messages do not grow";
    last = number as number;
  }
  return undefined;
}
