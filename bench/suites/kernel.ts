/**
 * The kernel's own costs, with authorization, counting, journal and trace on, beside what they stand on: a bare generator without a
 * kernel, and a mailbox of promises. Other runtimes are not measured here.
 */
import type { Clock } from "@glia-os/abi/ports";
import { createKernel, type Handle, type Kernel, type Program } from "@glia-os/kernel";
import { SeededRandom } from "@glia-os/kernel/testing";
import type { Contestant, RowDefinition, Suite } from "../src/suite.ts";

const clock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
const SLICE_SWITCHES = 4096;
const TASKS = 1000;
/** Mailboxes of rows that do not measure back-pressure. */
const ROOMY = { capacity: 16_777_216, high: 16_777_216 };

/** A kernel that is kept, and a root program per sample. */
function inKernel(program: (times: number) => Program): () => Contestant {
  return () => {
    const kernel: Kernel = createKernel({ clock, random: new SeededRandom(1) });
    return {
      run(times) {
        const root = kernel.spawn(program(times));
        while (kernel.runSlice(SLICE_SWITCHES) === "more");
        const exit = kernel.exitOf(root);
        if (exit?.kind !== "ok") throw new RangeError(`the program ended as ${exit?.kind ?? "nothing"}`);
      },
    };
  };
}

function peer(run: (times: number) => void | Promise<void>): () => Contestant {
  return () => ({ run });
}

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

const BATCH = 1000;
const batches = (times: number): number[] =>
  Array.from({ length: Math.ceil(times / BATCH) }, (_, i) => Math.min(BATCH, times - i * BATCH));

const spawnReplyWait: RowDefinition = {
  id: "spawn-reply-wait",
  what: "make a child with one handle, which sends one message and ends; the parent receives all messages and waits for all ends, 1000 at a time",
  unit: "ns",
  better: "lower",
  excludes:
    "isolation and pre-emption on all sides; the bare generator is made and run to its end without message or parent",
  glia: inKernel(
    (times) =>
      function* (sys) {
        const box = sys.mailbox<number>(ROOMY);
        const give = { give: [box] };
        function* child(sys: Parameters<Program>[0], out: Handle<number>) {
          yield* sys.send(out, 1);
        }
        for (const count of batches(times)) {
          const ids = Array.from({ length: count }, () => sys.spawn(child, give));
          for (let i = 0; i < count; i++) yield* sys.receive(box);
          for (const id of ids) yield* sys.wait(id);
        }
        sys.drop(box);
      },
  ),
  peers: {
    "raw-generator": peer((times) => {
      function* child() {
        yield 1;
      }
      for (let i = 0; i < times; i++) {
        const routine = child();
        routine.next();
        routine.next();
      }
    }),
    promise: peer(async (times) => {
      for (const count of batches(times)) {
        const box = new PromiseMailbox<number>();
        const child = async () => box.send(1);
        const ends = Array.from({ length: count }, child);
        for (let i = 0; i < count; i++) await box.receive();
        for (const end of ends) await end;
      }
    }),
  },
};

const pingPong: RowDefinition = {
  id: "ping-pong",
  what: "one round trip of a number between two tasks over two mailboxes",
  unit: "ns",
  better: "lower",
  excludes:
    "isolation and pre-emption on all sides; the bare generators are stepped in turn without mailboxes",
  glia: inKernel(
    (times) =>
      function* (sys) {
        const there = sys.mailbox<number>();
        const back = sys.mailbox<number>();
        sys.spawn(
          function* (sys, inbox: Handle<number>, out: Handle<number>) {
            for (let i = 0; i < times; i++) yield* sys.send(out, yield* sys.receive(inbox));
          },
          { give: [there, back] },
        );
        for (let i = 0; i < times; i++) {
          yield* sys.send(there, i);
          yield* sys.receive(back);
        }
        sys.drop(there);
        sys.drop(back);
      },
  ),
  peers: {
    "raw-generator": peer((times) => {
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
    promise: peer(async (times) => {
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
  },
};

const yieldSwitch: RowDefinition = {
  id: "yield-switch",
  what: "one yield of one of 1000 ready tasks, to the next one's turn",
  unit: "ns",
  better: "lower",
  excludes:
    "isolation and pre-emption on all sides; making the tasks is included and spread over their yields",
  glia: inKernel(
    (times) =>
      function* (sys) {
        const turns = Math.ceil(times / TASKS);
        const ids = Array.from({ length: Math.min(times, TASKS) }, () =>
          sys.spawn(function* (sys) {
            for (let i = 0; i < turns; i++) yield* sys.yield();
          }),
        );
        for (const id of ids) yield* sys.wait(id);
      },
  ),
  peers: {
    "raw-generator": peer((times) => {
      const turns = Math.ceil(times / TASKS);
      function* task() {
        for (let i = 0; i < turns; i++) yield i;
      }
      let tasks = Array.from({ length: Math.min(times, TASKS) }, task);
      while (tasks.length > 0) tasks = tasks.filter((routine) => routine.next().done !== true);
    }),
    promise: peer(async (times) => {
      const turns = Math.ceil(times / TASKS);
      const task = async () => {
        for (let i = 0; i < turns; i++) await undefined;
      };
      await Promise.all(Array.from({ length: Math.min(times, TASKS) }, task));
    }),
  },
};

const sendDrain: RowDefinition = {
  id: "send-drain",
  what: "send a fresh object to a mailbox that nobody drains, up to 100,000 of them, and then receive it",
  unit: "ns",
  better: "lower",
  excludes: "switches between tasks: one task does both; the bare side is an array that is filled and read",
  glia: inKernel(
    (times) =>
      function* (sys) {
        const box = sys.mailbox<{ i: number }>(ROOMY);
        for (let left = times; left > 0; left -= 100_000) {
          const count = Math.min(left, 100_000);
          for (let i = 0; i < count; i++) yield* sys.send(box, { i });
          for (let i = 0; i < count; i++) yield* sys.receive(box);
        }
        sys.drop(box);
      },
  ),
  peers: {
    "raw-array": peer((times) => {
      for (let left = times; left > 0; left -= 100_000) {
        const box: { i: number }[] = [];
        const count = Math.min(left, 100_000);
        for (let i = 0; i < count; i++) box.push({ i });
        for (let i = 0; i < count; i++) if (box[i]?.i !== i) throw new RangeError("lost");
      }
    }),
    promise: peer(async (times) => {
      const box = new PromiseMailbox<{ i: number }>();
      for (let left = times; left > 0; left -= 100_000) {
        const count = Math.min(left, 100_000);
        for (let i = 0; i < count; i++) box.send({ i });
        for (let i = 0; i < count; i++) await box.receive();
      }
    }),
  },
};

const trySendReceive: RowDefinition = {
  id: "try-send-receive",
  what: "trySend of a number to an empty mailbox and tryReceive of it, by one task",
  unit: "ns",
  better: "lower",
  excludes: "switches: neither call can wait; the bare side is a push and a pop of an array",
  glia: inKernel(
    (times) =>
      function* (sys) {
        const box = sys.mailbox<number>();
        for (let i = 0; i < times; i++) {
          sys.trySend(box, i);
          if (sys.tryReceive(box) !== i) throw new RangeError("lost");
        }
        sys.drop(box);
      },
  ),
  peers: {
    "raw-array": peer((times) => {
      const box: number[] = [];
      for (let i = 0; i < times; i++) {
        box.push(i);
        if (box.pop() !== i) throw new RangeError("lost");
      }
    }),
  },
};

export const suite: Suite = {
  title: "tasks, messages and switches of the kernel",
  rows: [spawnReplyWait, pingPong, yieldSwitch, sendDrain, trySendReceive],
};
