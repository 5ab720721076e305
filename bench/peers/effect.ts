/** The kernel workloads on Effect and its default scheduler: fibers and unbounded queues. */
import { Effect, Fiber, Queue } from "effect";
import type { ContestantFactory } from "../src/suite.ts";

const BATCH = 1000;
const PILE = 100_000;

const workloads = {
  "spawn-reply-wait": (times: number) =>
    Effect.gen(function* () {
      for (let left = times; left > 0; left -= BATCH) {
        const count = Math.min(left, BATCH);
        const box = yield* Queue.unbounded<number>();
        const fibers: Fiber.Fiber<boolean>[] = [];
        for (let i = 0; i < count; i++) fibers.push(yield* Effect.forkChild(Queue.offer(box, 1)));
        for (let i = 0; i < count; i++) yield* Queue.take(box);
        for (const fiber of fibers) yield* Fiber.await(fiber);
      }
    }),
  "ping-pong": (times: number) =>
    Effect.gen(function* () {
      const there = yield* Queue.unbounded<number>();
      const back = yield* Queue.unbounded<number>();
      yield* Effect.forkChild(
        Effect.gen(function* () {
          for (let i = 0; i < times; i++) yield* Queue.offer(back, yield* Queue.take(there));
        }),
      );
      for (let i = 0; i < times; i++) {
        yield* Queue.offer(there, i);
        yield* Queue.take(back);
      }
    }),
  "yield-switch": (times: number) =>
    Effect.gen(function* () {
      const turns = Math.ceil(times / BATCH);
      const fibers: Fiber.Fiber<void>[] = [];
      const task = Effect.gen(function* () {
        for (let i = 0; i < turns; i++) yield* Effect.yieldNow;
      });
      for (let i = 0; i < BATCH; i++) fibers.push(yield* Effect.forkChild(task));
      for (const fiber of fibers) yield* Fiber.await(fiber);
    }),
  "send-drain": (times: number) =>
    Effect.gen(function* () {
      const box = yield* Queue.unbounded<{ i: number }>();
      for (let left = times; left > 0; left -= PILE) {
        const count = Math.min(left, PILE);
        for (let i = 0; i < count; i++) yield* Queue.offer(box, { i });
        for (let i = 0; i < count; i++) yield* Queue.take(box);
      }
    }),
};

/** For `serve.ts`: the workloads above. */
export const contestants: Readonly<Record<string, ContestantFactory>> = Object.fromEntries(
  Object.entries(workloads).map(([name, workload]): [string, ContestantFactory] => [
    name,
    () => ({ run: (times) => Effect.runPromise(workload(times)) }),
  ]),
);
