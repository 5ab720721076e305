/** Workloads of agents on Effect: a fiber per agent, which takes messages from a queue and answers by a deferred. */
import { Deferred, Effect, Fiber, Queue } from "effect";
import type { ContestantFactory } from "../src/suite.ts";

interface Add {
  readonly n: number;
  readonly reply: Deferred.Deferred<number> | undefined;
}

const adder = (box: Queue.Queue<Add>) =>
  Effect.gen(function* () {
    let count = 0;
    for (;;) {
      const { n, reply } = yield* Queue.take(box);
      count += n;
      if (reply !== undefined) yield* Deferred.succeed(reply, count);
    }
  });

const asked = (box: Queue.Queue<Add>) =>
  Effect.gen(function* () {
    const reply = yield* Deferred.make<number>();
    yield* Queue.offer(box, { n: 1, reply });
    return yield* Deferred.await(reply);
  });

const workloads = {
  ask: (times: number) =>
    Effect.gen(function* () {
      const box = yield* Queue.bounded<Add>(1000);
      const fiber = yield* Effect.forkChild(adder(box));
      for (let i = 0; i < times; i++) yield* asked(box);
      yield* Fiber.interrupt(fiber);
    }),
  tell: (times: number) =>
    Effect.gen(function* () {
      const box = yield* Queue.bounded<Add>(1000);
      const fiber = yield* Effect.forkChild(adder(box));
      for (let i = 0; i < times; i++) yield* Queue.offer(box, { n: 1, reply: undefined });
      yield* asked(box);
      yield* Fiber.interrupt(fiber);
    }),
  create: (times: number) =>
    Effect.gen(function* () {
      for (let i = 0; i < times; i++) {
        const box = yield* Queue.bounded<Add>(1000);
        const fiber = yield* Effect.forkChild(adder(box));
        yield* asked(box);
        yield* Fiber.interrupt(fiber);
      }
    }),
};

/** For `serve.ts`. */
export const contestants: Readonly<Record<string, ContestantFactory>> = Object.fromEntries(
  Object.entries(workloads).map(([name, workload]): [string, ContestantFactory] => [
    name,
    () => ({ run: (times) => Effect.runPromise(workload(times)) }),
  ]),
);
