/** The kernel workloads on Glia: one kernel per contestant, with everything on, and a root program per sample. */
import type { Clock } from "@glia-os/abi/ports";
import { createKernel, type Handle, type Kernel, type Program, type Sys, type TaskId } from "@glia-os/kernel";
import { reactor, stop } from "@glia-os/kernel/face";
import { SeededRandom } from "@glia-os/kernel/testing";
import type { Contestant } from "../../src/suite.ts";

const clock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
const SLICE_SWITCHES = 4096;
const BATCH = 1000;
const PILE = 100_000;
const RING = 1000;
/** Mailboxes of workloads that do not measure back-pressure. */
const ROOMY = { capacity: 16_777_216, high: 16_777_216 };

/** A kernel with every default, save the handles its shell may hold. */
export function newKernel(handleLimit = 65_536): Kernel {
  return createKernel({ clock, random: new SeededRandom(1), handleLimit });
}

/** Run a program to its end. */
export function finish(kernel: Kernel, program: Program): void {
  const root = kernel.spawn(program);
  while (kernel.runSlice(SLICE_SWITCHES) === "more");
  const exit = kernel.exitOf(root);
  if (exit?.kind !== "ok") throw new RangeError(`the program ended as ${exit?.kind ?? "nothing"}`);
}

/** A kernel that is kept, and a root program per sample. */
export function inKernel(program: (times: number) => Program): () => Contestant {
  return () => {
    const kernel = newKernel();
    return { run: (times) => finish(kernel, program(times)) };
  };
}

function* replies(sys: Sys, out: Handle<number>) {
  yield* sys.send(out, 1);
}

function* ends() {}

/** Children that send one message and end; the parent takes all messages and waits for all ends. */
const spawnReplyWait = inKernel(
  (times) =>
    function* (sys) {
      const box = sys.mailbox<number>(ROOMY);
      const give = { give: [box] };
      for (let left = times; left > 0; left -= BATCH) {
        const count = Math.min(left, BATCH);
        const ids: TaskId[] = [];
        for (let i = 0; i < count; i++) ids.push(sys.spawn(replies, give));
        for (let i = 0; i < count; i++) yield* sys.receive(box);
        for (let i = 0; i < count; i++) yield* sys.wait(ids[i]!);
      }
      sys.drop(box);
    },
);

/** Children that end; nobody waits for them. */
const spawnOnly = inKernel(
  (times) =>
    function* (sys) {
      for (let left = times; left > 0; left -= BATCH) {
        for (let i = 0; i < Math.min(left, BATCH); i++) sys.spawn(ends);
        yield* sys.yield();
      }
    },
);

const pingPong = inKernel(
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
);

const yieldSwitch = inKernel(
  (times) =>
    function* (sys) {
      const turns = Math.ceil(times / BATCH);
      const ids = Array.from({ length: Math.min(times, BATCH) }, () =>
        sys.spawn(function* (sys) {
          for (let i = 0; i < turns; i++) yield* sys.yield();
        }),
      );
      for (const id of ids) yield* sys.wait(id);
    },
);

const sendDrain = inKernel(
  (times) =>
    function* (sys) {
      const box = sys.mailbox<{ i: number }>(ROOMY);
      for (let left = times; left > 0; left -= PILE) {
        const count = Math.min(left, PILE);
        for (let i = 0; i < count; i++) yield* sys.send(box, { i });
        for (let i = 0; i < count; i++) yield* sys.receive(box);
      }
      sys.drop(box);
    },
);

const trySendReceive = inKernel(
  (times) =>
    function* (sys) {
      const box = sys.mailbox<number>();
      for (let i = 0; i < times; i++) {
        sys.trySend(box, i);
        if (sys.tryReceive(box) !== i) throw new RangeError("lost");
      }
      sys.drop(box);
    },
);

const channelTrySendReceive = inKernel(
  (times) =>
    function* (sys) {
      const channel = sys.channel<number>(BATCH);
      for (let i = 0; i < times; i++) {
        sys.trySend(channel, i);
        if (sys.tryReceive(channel) !== i) throw new RangeError("lost");
      }
      sys.drop(channel);
    },
);

const ring = inKernel(
  (times) =>
    function* (sys) {
      const laps = Math.ceil(times / RING);
      const boxes = Array.from({ length: RING }, () => sys.mailbox<number>());
      const ids = boxes.map((inbox, i) =>
        sys.spawn(
          function* (sys, inbox: Handle<number>, out: Handle<number>) {
            for (let lap = 0; lap < laps; lap++) yield* sys.send(out, (yield* sys.receive(inbox)) + 1);
          },
          { give: [inbox, boxes[(i + 1) % RING]!] },
        ),
      );
      yield* sys.send(boxes[0]!, 0);
      for (const id of ids) yield* sys.wait(id);
      for (const box of boxes) sys.drop(box);
    },
);

interface Player {
  readonly out: Handle<number>;
  left: number;
}

/** Hands on what it gets, `times` times, and ends: a task without a generator. */
const player = (times: number): Program =>
  reactor<Player, number>({
    init: (_sys, _inbox, out) => ({ out: out as Handle<number>, left: times }),
    handle(sys, state, ball) {
      sys.trySend(state.out, ball + 1);
      return --state.left === 0 ? stop() : undefined;
    },
  });

/** As `ring`, of `size` reactors. */
const reactorRing = (size: number): (() => Contestant) =>
  inKernel(
    (times) =>
      function* (sys) {
        const program = player(Math.ceil(times / size));
        const boxes = Array.from({ length: size }, () => sys.mailbox<number>());
        const ids = boxes.map((inbox, i) => sys.spawn(program, { give: [inbox, boxes[(i + 1) % size]!] }));
        yield* sys.send(boxes[0]!, 0);
        for (const id of ids) yield* sys.wait(id);
        for (const box of boxes) sys.drop(box);
      },
  );

/** Two reactors that hand a number to and fro: a round trip is two turns. */
function reactorPingPong(): Contestant {
  const { run } = reactorRing(2)();
  return { run: (times) => run!(times * 2) };
}

/** Producer and consumer over a mailbox with its default bounds, new ones for every `size` messages. */
const oneToOne = (size: number): (() => Contestant) =>
  inKernel(
    (times) =>
      function* (sys) {
        for (let left = times; left > 0; left -= size) {
          const count = Math.min(left, size);
          const box = sys.mailbox<number>();
          const consumer = sys.spawn(
            function* (sys, inbox: Handle<number>) {
              for (let i = 0; i < count; i++) yield* sys.receive(inbox);
            },
            { give: [box] },
          );
          for (let i = 0; i < count; i++) yield* sys.send(box, i);
          yield* sys.wait(consumer);
          sys.drop(box);
        }
      },
  );

/** The sends alone, into a mailbox with room: nanoseconds of one. */
function sendOnly(): Contestant {
  const kernel = newKernel();
  return {
    value() {
      let spent = 0;
      finish(kernel, function* (sys) {
        const box = sys.mailbox<number>(ROOMY);
        const start = performance.now();
        for (let i = 0; i < PILE; i++) yield* sys.send(box, i);
        spent = performance.now() - start;
        sys.drop(box);
      });
      return (spent * 1e6) / PILE;
    },
  };
}

const signal = inKernel(
  (times) =>
    function* (sys) {
      const bell = sys.notification();
      for (let i = 0; i < times; i++) sys.signal(bell);
      sys.drop(bell);
    },
);

/** First turns of 1000 tasks, each of which parks in a receive: nanoseconds of one, best known when warm. */
function awaitSetUp(): Contestant {
  const kernel = newKernel();
  const inbox = kernel.mailbox<number>(ROOMY);
  const give = { give: [inbox] };
  const task = function* (sys: Sys, inbox: Handle<number>) {
    yield* sys.receive(inbox);
  };
  return {
    value() {
      let spent = 0;
      for (let round = 0; round < PILE / BATCH; round++) {
        for (let i = 0; i < BATCH; i++) kernel.spawn(task, give);
        const start = performance.now();
        while (kernel.runSlice(SLICE_SWITCHES) === "more");
        spent += performance.now() - start;
        if (kernel.liveTasks !== BATCH) throw new RangeError("some tasks ended");
        for (let i = 0; i < BATCH; i++) kernel.trySend(inbox, i);
        while (kernel.runSlice(SLICE_SWITCHES) === "more");
      }
      return (spent * 1e6) / PILE;
    },
  };
}

const TASKS = 100_000;
const MESSAGES = 1000;
const BATCHES = 200;

/** A quantile of the microseconds that 1000 messages to random ones of 100,000 parked tasks and the turns they cause take. */
function randomMessages(quantile: number): () => Contestant {
  return () => {
    const kernel = newKernel(TASKS);
    const inboxes: Handle<number>[] = [];
    for (let i = 0; i < TASKS; i++) {
      const inbox = kernel.mailbox<number>();
      inboxes.push(inbox);
      kernel.spawn(
        function* (sys, inbox: Handle<number>) {
          for (;;) yield* sys.receive(inbox);
        },
        { give: [inbox] },
      );
    }
    while (kernel.runSlice(SLICE_SWITCHES) === "more");
    const random = new SeededRandom(7);
    return {
      value() {
        const spent: number[] = [];
        for (let batch = 0; batch < BATCHES; batch++) {
          const start = performance.now();
          for (let i = 0; i < MESSAGES; i++) kernel.trySend(inboxes[random.uint32() % TASKS]!, i);
          while (kernel.runSlice(SLICE_SWITCHES) === "more");
          spent.push((performance.now() - start) * 1000);
        }
        spent.sort((a, b) => a - b);
        return spent[Math.min(BATCHES - 1, Math.floor(quantile * BATCHES))]!;
      },
    };
  };
}

/** Messages per second from one task to another. */
function messageRate(): Contestant {
  const { run } = oneToOne(PILE)();
  return {
    async value() {
      const start = performance.now();
      await run!(PILE);
      return PILE / ((performance.now() - start) / 1000);
    },
  };
}

/** For `serve.ts`: the workloads by the names of their rows. */
export const contestants: Readonly<Record<string, () => Contestant>> = {
  "spawn-reply-wait": spawnReplyWait,
  "ping-pong": pingPong,
  "ping-pong-reactor": reactorPingPong,
  "yield-switch": yieldSwitch,
  "send-drain": sendDrain,
  "try-send-receive": trySendReceive,
  "channel-try-send-receive": channelTrySendReceive,
  "ring-1000": ring,
  "ring-1000-reactor": reactorRing(RING),
  "one-to-one-100": oneToOne(100),
  "one-to-one-1k": oneToOne(1000),
  "one-to-one-10k": oneToOne(10_000),
  "one-to-one-100k": oneToOne(100_000),
  "seed-spawn": spawnOnly,
  "seed-send": sendOnly,
  "seed-signal": signal,
  "seed-await-set-up": awaitSetUp,
  "seed-message-rate": messageRate,
  "random-messages-p50": randomMessages(0.5),
  "random-messages-p99": randomMessages(0.99),
  "random-messages-max": randomMessages(1),
};
