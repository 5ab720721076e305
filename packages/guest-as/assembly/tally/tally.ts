/** What both versions of the tally have in common: it adds numbers up, and says so. Messages and answers are text. */
import { replyText } from "../index";
import { Upgradable } from "../upgrade";

/** Adds up. `add N` adds; anything else is a question. */
export abstract class Tally extends Upgradable {
  total: i64 = 0;
  count: i32 = 0;
  /** Sum of (position * number): says whether numbers came in order. */
  order: i64 = 0;

  constructor(private label: string, version: i32) {
    super("tally", version);
  }

  /** Never comes back. */
  run(): i32 {
    while (true) {
      const message = this.receive();
      const text = String.UTF8.decodeUnsafe(message.dataStart, message.length);
      if (text.startsWith("add ")) this.add(I64.parseInt(text.substr(4)));
      replyText(`${this.label} ${this.count} ${this.total} ${this.order}`);
    }
  }

  private add(number: i64): void {
    this.count++;
    this.total += number;
    this.order += number * <i64>this.count;
  }
}
