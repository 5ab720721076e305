/**
 * Messages longer than a call may be, in parts. A body begins with what it is:
 *
 *     0  a whole message                      [0, message...]
 *     1  a part of a request                  [1, number u32, at u32, total u32, bytes...]; answered with nothing until it is whole
 *     2  the first part of a long reply       [2, number u32, total u32, bytes...]
 *     3  a wish for the next part of a reply  [3, number u32, at u32]; answered with [3, bytes...]
 *
 * LM1. Parts come in order and without gaps; a part that does not fit to those before it is refused, and they are forgotten.
 * LM2. A total is checked before anything is held for it. What is held is dropped with the last part; of one caller at most
 *      {@link LONG_AT_ONCE} messages are held in each direction, and the oldest gives way.
 */
import { MalformedError } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";

const WHOLE = 0;
const PART = 1;
const FIRST = 2;
const NEXT = 3;
const PART_HEAD = 13;
const FIRST_HEAD = 9;
const NEXT_HEAD = 9;
/** Long messages of one caller that are under way in one direction. */
export const LONG_AT_ONCE = 4;

/** A message, or the answer to a wish for a part. */
export interface Taken {
  readonly kind: "message" | "part";
  readonly bytes: Uint8Array;
}

interface Incoming {
  readonly bytes: Uint8Array;
  held: number;
}

/** What is held of each caller, by the number of the message. */
type Held<Message> = Map<NodeId, Map<number, Message>>;

/** A request as bodies of calls, at least one. */
export function* partsOf(message: Uint8Array, number: number, most: number): Generator<Uint8Array> {
  if (message.length < most) yield headed(WHOLE, [], message);
  else
    for (let at = 0; at < message.length; at += most)
      yield headed(PART, [number, at, message.length], message.subarray(at, at + most));
}

/** The whole reply that a body begins; `more` gets the answer to a wish for the next part. @throws MalformedError */
export async function joinedParts(
  body: Uint8Array,
  longest: number,
  more: (wish: Uint8Array) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  if (body[0] === WHOLE) return body.subarray(1);
  if (body[0] !== FIRST || body.length < FIRST_HEAD)
    throw new MalformedError("reply", "it is of no known kind");
  const [number, total] = [u32(body, 1), u32(body, 5)];
  const bytes = new Uint8Array(lengthWithin(total, longest, "reply"));
  let held = put(bytes, 0, body.subarray(FIRST_HEAD), "reply");
  while (held < total) {
    const part = await more(headed(NEXT, [number, held], new Uint8Array()));
    if (part[0] !== NEXT || part.length === 1) throw new MalformedError("reply", "a part of it is missing");
    held = put(bytes, held, part.subarray(1), "reply");
  }
  return bytes;
}

/** The long messages that a node holds of its callers. */
export class LongMessages {
  readonly #part: number;
  readonly #longest: number;
  readonly #incoming: Held<Incoming> = new Map();
  readonly #outgoing: Held<Uint8Array> = new Map();
  #replies = 0;

  constructor(part: number, longest: number) {
    this.#part = part;
    this.#longest = longest;
  }

  /** What a body completes; undefined while parts are missing. @throws MalformedError */
  taken(from: NodeId, body: Uint8Array): Taken | undefined {
    if (body[0] === WHOLE) return { kind: "message", bytes: body.subarray(1) };
    if (body[0] === PART && body.length > PART_HEAD) return this.#takePart(from, body);
    if (body[0] === NEXT && body.length === NEXT_HEAD)
      return { kind: "part", bytes: this.#next(from, u32(body, 1), u32(body, 5)) };
    throw new MalformedError("request", "it is of no known kind");
  }

  /** A reply as the body of an answer; what does not fit is held until it is asked for. */
  given(to: NodeId, reply: Uint8Array): Uint8Array {
    if (reply.length < this.#part) return headed(WHOLE, [], reply);
    this.#replies = (this.#replies + 1) >>> 0;
    keep(this.#outgoing, to, this.#replies, reply);
    return headed(FIRST, [this.#replies, reply.length], reply.subarray(0, this.#part));
  }

  #takePart(from: NodeId, body: Uint8Array): Taken | undefined {
    const [number, at, total] = [u32(body, 1), u32(body, 5), u32(body, 9)];
    const before = take(this.#incoming, from, number);
    if (at > 0 && (before?.held !== at || before.bytes.length !== total))
      throw new MalformedError("request", "a part of it is missing");
    const message =
      at > 0 && before !== undefined
        ? before
        : { bytes: new Uint8Array(lengthWithin(total, this.#longest, "request")), held: 0 };
    message.held = put(message.bytes, at, body.subarray(PART_HEAD), "request");
    if (message.held === total) return { kind: "message", bytes: message.bytes };
    keep(this.#incoming, from, number, message);
    return undefined;
  }

  #next(to: NodeId, number: number, at: number): Uint8Array {
    const reply = take(this.#outgoing, to, number);
    if (reply === undefined || at >= reply.length)
      throw new MalformedError("request", "the reply it asks for is not held");
    const end = Math.min(at + this.#part, reply.length);
    if (end < reply.length) keep(this.#outgoing, to, number, reply);
    return headed(NEXT, [], reply.subarray(at, end));
  }
}

function keep<Message>(held: Held<Message>, node: NodeId, number: number, message: Message): void {
  const ofNode = held.get(node) ?? new Map<number, Message>();
  held.set(node, ofNode.set(number, message));
  const [oldest] = ofNode.keys();
  if (ofNode.size > LONG_AT_ONCE && oldest !== undefined) ofNode.delete(oldest);
}

function take<Message>(held: Held<Message>, node: NodeId, number: number): Message | undefined {
  const ofNode = held.get(node);
  const message = ofNode?.get(number);
  ofNode?.delete(number);
  if (ofNode?.size === 0) held.delete(node);
  return message;
}

function headed(kind: number, numbers: readonly number[], bytes: Uint8Array): Uint8Array {
  const head = 1 + 4 * numbers.length;
  const body = new Uint8Array(head + bytes.length);
  body[0] = kind;
  const view = new DataView(body.buffer);
  for (const [i, number] of numbers.entries()) view.setUint32(1 + 4 * i, number);
  body.set(bytes, head);
  return body;
}

function put(bytes: Uint8Array, at: number, part: Uint8Array, what: string): number {
  if (part.length === 0 || at + part.length > bytes.length)
    throw new MalformedError(what, "a part of it does not fit");
  bytes.set(part, at);
  return at + part.length;
}

function lengthWithin(total: number, longest: number, what: string): number {
  if (total > longest)
    throw new MalformedError(what, `it says it has ${total} bytes; ${longest} is the most`);
  return total;
}

function u32(body: Uint8Array, at: number): number {
  return new DataView(body.buffer, body.byteOffset, body.length).getUint32(at);
}
