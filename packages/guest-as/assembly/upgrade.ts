/**
 * An agent whose code can be exchanged while it lives (docs/spec/upgrade.md).
 *
 * AU1. The messages of an exchange are answered here; the program gets the others, in order.
 * AU2. A state goes only to a program of the same name, with the version of the program it comes from.
 *
 * A module re-exports `glia_upgrade`, which says that it takes part, and receives through one {@link Upgradable}.
 */
import * as host from "./host";
import { Inbox } from "./inbox";
import { quote } from "./json";

/** Bytes of a part: with its line below the longest message. */
const PART_BYTES: i32 = 1000000;
const HAND_OVER = '{"host":"hand-over","part":';
const TAKE_OVER = '{"host":"take-over","part":';
const HOLD = '{"host":"hold"}';
const GO = '{"host":"go"}';
const NEWLINE: u8 = 10;
const HEAD_BYTES: i32 = 5;

/** Re-export it: nodes look for it before they exchange code. */
export function glia_upgrade(): i32 {
  return 1;
}

/** What an upgradable program is made of. */
export abstract class Upgradable {
  private inbox: Inbox = new Inbox();
  private kept: Uint8Array = new Uint8Array(0);
  private given: Uint8Array = new Uint8Array(0);

  constructor(
    /** Its name: a state never goes to a program of another. */
    private name: string,
    /** From 1. */
    private version: i32,
  ) {}

  /** Everything the next program is to go on with. */
  abstract save(): Uint8Array;

  /** Take over what another version saved; null when it was taken, else why it was not. What traps is a refusal, too. */
  abstract codeChange(state: Uint8Array, fromVersion: i32): string | null;

  /** The next message that is the program's own (AU1). Empty with `failure()` below zero when the host refused. */
  receive(): Uint8Array {
    while (true) {
      const length = this.inbox.receive();
      const bytes = new Uint8Array(max(length, 0));
      memory.copy(bytes.dataStart, this.inbox.pointer, bytes.length);
      if (!this.answered(bytes)) return bytes;
    }
  }

  private answered(message: Uint8Array): bool {
    if (begins(message, HAND_OVER)) this.handOver(numberAt(message, HAND_OVER.length));
    else if (begins(message, TAKE_OVER)) this.takeOver(message);
    else return is(message, HOLD) || is(message, GO);
    return true;
  }

  private handOver(part: i32): void {
    if (part == 0) this.kept = this.packed();
    const parts = max(1, (this.kept.length + PART_BYTES - 1) / PART_BYTES);
    const from = min(part * PART_BYTES, this.kept.length);
    const bytes = this.kept.subarray(from, min(from + PART_BYTES, this.kept.length));
    const line = `{"parts":${parts},"name":${quote(this.name)},"version":${this.version}}\n`;
    answer(line, bytes);
  }

  private takeOver(message: Uint8Array): void {
    const end = message.indexOf(NEWLINE);
    const part = numberAt(message, TAKE_OVER.length);
    const parts = partsIn(message, end);
    if (part == 0) this.given = new Uint8Array(0);
    this.given = joined(this.given, message.subarray(end + 1));
    if (part + 1 < parts) return answer('{"more":true}', new Uint8Array(0));
    const why = this.taken();
    this.given = new Uint8Array(0);
    const line =
      why === null
        ? `{"taken":true,"name":${quote(this.name)},"version":${this.version}}`
        : `{"error":{"message":${quote(why)}}}`;
    answer(line, new Uint8Array(0));
  }

  /** Version, length of the name, name, state. */
  private packed(): Uint8Array {
    const name = Uint8Array.wrap(String.UTF8.encode(this.name));
    const head = new Uint8Array(HEAD_BYTES);
    store<i32>(head.dataStart, this.version);
    head[4] = <u8>name.length;
    return joined(joined(head, name), this.save());
  }

  /** AU2. */
  private taken(): string | null {
    const given = this.given;
    if (given.length < HEAD_BYTES) return "it is no state of an upgradable program";
    const version = load<i32>(given.dataStart);
    const end = HEAD_BYTES + <i32>given[4];
    if (given.length < end) return "its state is cut off";
    const name = String.UTF8.decodeUnsafe(given.dataStart + HEAD_BYTES, <usize>given[4]);
    if (name != this.name) return `it was ${name} and is ${this.name} now`;
    return this.codeChange(given.slice(end), version);
  }
}

function answer(line: string, bytes: Uint8Array): void {
  const whole = joined(Uint8Array.wrap(String.UTF8.encode(line)), bytes);
  host.reply(whole.dataStart, whole.length);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

function begins(message: Uint8Array, text: string): bool {
  if (message.length < text.length) return false;
  for (let at = 0; at < text.length; at++)
    if (<i32>message[at] != text.charCodeAt(at)) return false;
  return true;
}

function is(message: Uint8Array, text: string): bool {
  return message.length == text.length && begins(message, text);
}

function numberAt(message: Uint8Array, from: i32): i32 {
  let number = 0;
  for (let at = from; at < message.length && message[at] >= 48 && message[at] <= 57; at++)
    number = number * 10 + (<i32>message[at] - 48);
  return number;
}

/** The last number of its line. */
function partsIn(message: Uint8Array, end: i32): i32 {
  let at = end - 1;
  while (at > 0 && message[at] != 58) at--;
  return numberAt(message, at + 1);
}
