/** Priorities of messages: the interpreter's inbox against a model, and the mailbox of a cell at its node. */
import type { NodeId } from "@glia-os/abi/ids";
import { type AgentEnvelope, type MessagePriority, OVERTAKES_MAX } from "@glia-os/cells/agent";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Inbox } from "../../src/agent/inbox.ts";
import { MailOrder, mailPriority } from "../../src/mail-order.ts";
import type { MailItem } from "../../src/runner-port.ts";

const runs = process.env["GLIA_SOAK"] === "1" ? 5000 : 100;
const PRIORITIES = ["high", "normal", "low"] as const;
const step = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<"take" | MessagePriority>("high", "normal", "low") },
  { weight: 2, arbitrary: fc.constant<"take" | MessagePriority>("take") },
);
const steps = fc.array(step, { maxLength: 300, size: "max" });

interface Waiting {
  readonly number: number;
  readonly priority: MessagePriority;
}

/** What the specification says of a run (PQ1, PQ2), seen from what was taken. */
class Judge {
  readonly #waiting: Waiting[] = [];
  readonly #passed = new Map<MessagePriority, number>();
  #number = 0;

  get size(): number {
    return this.#waiting.length;
  }

  came(priority: MessagePriority): number {
    this.#waiting.push({ number: ++this.#number, priority });
    return this.#number;
  }

  took(number: number): void {
    const at = this.#waiting.findIndex((one) => one.number === number);
    const taken = this.#waiting[at] as Waiting;
    const first = (priority: MessagePriority) => this.#waiting.find((one) => one.priority === priority);
    expect(taken, "each keeps the order within its priority").toBe(first(taken.priority));
    const rank = PRIORITIES.indexOf(taken.priority);
    const higher = PRIORITIES.slice(0, rank).filter((priority) => first(priority) !== undefined);
    if (higher.length > 0)
      expect(this.#passed.get(taken.priority) ?? 0).toBeGreaterThanOrEqual(OVERTAKES_MAX);
    for (const lower of PRIORITIES.slice(rank + 1)) {
      const passed = first(lower) === undefined ? 0 : (this.#passed.get(lower) ?? 0) + 1;
      this.#passed.set(lower, passed);
      // One more where a normal and a low one are due at the same time.
      expect(passed).toBeLessThanOrEqual(OVERTAKES_MAX + (lower === "low" ? 1 : 0));
    }
    this.#passed.set(taken.priority, 0);
    this.#waiting.splice(at, 1);
  }
}

class TestInbox extends Inbox {
  add(number: number, priority: MessagePriority): void {
    const envelope = { kind: "tell", from: undefined, correlation: 0, message: "go", input: number } as const;
    this.push(priority === "normal" ? envelope : { ...envelope, priority });
  }

  next(): AgentEnvelope | null {
    return this.take();
  }

  remove(wanted: (number: number) => boolean): number[] {
    return this.takeOut((envelope) => wanted(envelope.input as number)).map(({ input }) => input as number);
  }
}

describe("the inbox of an agent", () => {
  test("PQ1, PQ2: an order within each priority, higher ones first, and none waits for more than 16 in a row", () => {
    fc.assert(
      fc.property(steps, (todo) => {
        const inbox = new TestInbox();
        const judge = new Judge();
        for (const one of todo) {
          if (one !== "take") inbox.add(judge.came(one), one);
          else {
            const taken = inbox.next();
            expect(taken === null).toBe(judge.size === 0);
            if (taken !== null) judge.took(taken.input as number);
          }
          expect(inbox.waiting).toBe(judge.size);
        }
        while (judge.size > 0) judge.took(inbox.next()?.input as number);
        expect(inbox.next()).toBeNull();
      }),
      { numRuns: runs },
    );
  });

  test("what is taken out of it is what was in question, and the rest keeps its order", () => {
    const inbox = new TestInbox();
    for (let i = 0; i < 30; i++) inbox.add(i, PRIORITIES[i % 3] as MessagePriority);
    expect(inbox.remove((number) => number < 15).sort((a, b) => a - b)).toEqual([...Array(15).keys()]);
    const left: number[] = [];
    for (let one = inbox.next(); one !== null; one = inbox.next()) left.push(one.input as number);
    expect(left).toEqual([15, 18, 21, 24, 27, 16, 19, 22, 25, 28, 17, 20, 23, 26, 29]);
  });
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const MARKS = { high: '{"priority":"high",', normal: "{", low: '{"priority":"low",' } as const;

function mail(number: number, priority: MessagePriority, kind = "tell"): MailItem {
  const payload = bytes(`${MARKS[priority]}"glia":1,"kind":"${kind}","message":"go","input":${number}}`);
  return { link: "1".repeat(32), seq: number, ask: false, from: "0".repeat(64) as NodeId, payload };
}

describe("the mailbox of a cell at its node", () => {
  test("MO1: a priority is what a payload begins with, and nothing else", () => {
    expect(mailPriority(mail(1, "high").payload)).toBe("high");
    expect(mailPriority(mail(1, "low").payload)).toBe("low");
    for (const other of [
      '{"glia":1}',
      "",
      '{"p',
      '{"priority":"higher"',
      ' {"priority":"high"',
      '{"priority": "high"',
    ])
      expect(mailPriority(bytes(other)), other).toBe("normal");
  });

  test("MO2: the same rule as in an inbox", () => {
    fc.assert(
      fc.property(steps, (todo) => {
        const order = new MailOrder();
        const judge = new Judge();
        const box: MailItem[] = [];
        const take = (): void => {
          const [item] = box.splice(order.ranks ? order.next(box) : 0, 1);
          if (item === undefined) return;
          order.took(item);
          judge.took(item.seq);
        };
        for (const one of todo) {
          if (one === "take") take();
          else {
            const item = mail(judge.came(one), one);
            box.push(item);
            order.came(item);
          }
        }
        while (box.length > 0) take();
        expect(order.ranks).toBe(false);
      }),
      { numRuns: runs },
    );
  });

  test("MO2: a turn that was counted before does not count again", () => {
    const order = new MailOrder();
    const box = [mail(1, "normal"), mail(2, "high")];
    order.holds(box);
    const take = (): number => {
      const [item] = box.splice(order.ranks ? order.next(box) : 0, 1);
      order.took(item as MailItem);
      return (item as MailItem).seq;
    };
    expect([take(), take()]).toEqual([2, 1]);
    const urgent = Array.from({ length: 20 }, (_, i) => mail(i + 10, "high"));
    box.push(mail(3, "normal"), ...urgent);
    order.holds(box);
    expect(Array.from({ length: OVERTAKES_MAX + 1 }, take).at(-1)).toBe(3);
  });

  test("MO2: a credit that came behind an ask of low priority stays behind it", () => {
    const order = new MailOrder();
    const box = [mail(1, "low", "ask"), mail(2, "normal", "credit"), mail(3, "normal", "tell")];
    order.holds(box);
    expect(order.next(box)).toBe(0);
    const other = [mail(1, "low", "ask"), mail(3, "normal", "tell"), mail(2, "normal", "credit")];
    order.holds(other);
    expect(order.next(other)).toBe(1);
  });

  test("MO3: what a cell began with comes before an urgent message", () => {
    const order = new MailOrder();
    const begin = { ...mail(1, "normal"), link: "0".repeat(32), payload: bytes('{"host":"begin"}') };
    const box = [begin, mail(1, "high")];
    order.holds(box);
    expect(order.next(box)).toBe(0);
  });
});
