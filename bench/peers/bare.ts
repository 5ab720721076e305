/** What ours stands on: bare generators and arrays, and mailboxes of promises. */
import type { ContestantFactory } from "../src/suite.ts";

const BATCH = 1000;
const PILE = 100_000;

const peer =
  (run: (times: number) => void | Promise<void>): ContestantFactory =>
  () => ({ run });

/** An unbounded mailbox for one receiver, as one writes it with promises. */
class PromiseMailbox<Message> {
  #messages: Message[] = [];
  #first = 0;
  #wake: ((message: Message) => void) | undefined;

  send(message: Message): void {
    const wake = this.#wake;
    this.#wake = undefined;
    if (wake === undefined) this.#messages.push(message);
    else wake(message);
  }

  async receive(): Promise<Message> {
    if (this.#first < this.#messages.length) {
      const message = this.#messages[this.#first++]!;
      if (this.#first === this.#messages.length) {
        this.#messages = [];
        this.#first = 0;
      }
      return message;
    }
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** Generators stepped by hand, arrays filled and read. */
const bare = {
  spawn: peer((times) => {
    function* child() {
      yield 1;
    }
    for (let i = 0; i < times; i++) {
      const routine = child();
      routine.next();
      routine.next();
    }
  }),
  pingPong: peer((times) => {
    function* player(): Generator<number, void, number> {
      let ball = 0;
      for (;;) ball = yield ball;
    }
    const [ping, pong] = [player(), player()];
    for (let i = 0; i < times; i++) {
      ping.next(i);
      pong.next(i);
    }
  }),
  yields: peer((times) => {
    const turns = Math.ceil(times / BATCH);
    function* task() {
      for (let i = 0; i < turns; i++) yield i;
    }
    let tasks = Array.from({ length: Math.min(times, BATCH) }, task);
    while (tasks.length > 0) tasks = tasks.filter((routine) => routine.next().done !== true);
  }),
  pile: peer((times) => {
    for (let left = times; left > 0; left -= PILE) {
      const box: { i: number }[] = [];
      const count = Math.min(left, PILE);
      for (let i = 0; i < count; i++) box.push({ i });
      for (let i = 0; i < count; i++) if (box[i]?.i !== i) throw new RangeError("lost");
    }
  }),
  pushPop: peer((times) => {
    const box: number[] = [];
    for (let i = 0; i < times; i++) {
      box.push(i);
      if (box.pop() !== i) throw new RangeError("lost");
    }
  }),
};

/** async functions and {@link PromiseMailbox}. */
const promise = {
  spawn: peer(async (times) => {
    for (let left = times; left > 0; left -= BATCH) {
      const count = Math.min(left, BATCH);
      const box = new PromiseMailbox<number>();
      const ends: Promise<void>[] = [];
      const child = async () => box.send(1);
      for (let i = 0; i < count; i++) ends.push(child());
      for (let i = 0; i < count; i++) await box.receive();
      for (const end of ends) await end;
    }
  }),
  pingPong: peer(async (times) => {
    const [there, back] = [new PromiseMailbox<number>(), new PromiseMailbox<number>()];
    const partner = (async () => {
      for (let i = 0; i < times; i++) back.send(await there.receive());
    })();
    for (let i = 0; i < times; i++) {
      there.send(i);
      await back.receive();
    }
    await partner;
  }),
  yields: peer(async (times) => {
    const turns = Math.ceil(times / BATCH);
    const task = async () => {
      for (let i = 0; i < turns; i++) await undefined;
    };
    await Promise.all(Array.from({ length: Math.min(times, BATCH) }, task));
  }),
  pile: peer(async (times) => {
    const box = new PromiseMailbox<{ i: number }>();
    for (let left = times; left > 0; left -= PILE) {
      const count = Math.min(left, PILE);
      for (let i = 0; i < count; i++) box.send({ i });
      for (let i = 0; i < count; i++) await box.receive();
    }
  }),
};

/** For `serve.ts`. */
export const contestants: Readonly<Record<string, ContestantFactory>> = {
  "generator-spawn": bare.spawn,
  "generator-ping-pong": bare.pingPong,
  "generator-yields": bare.yields,
  "array-pile": bare.pile,
  "array-push-pop": bare.pushPop,
  "promise-spawn": promise.spawn,
  "promise-ping-pong": promise.pingPong,
  "promise-yields": promise.yields,
  "promise-pile": promise.pile,
};
