/** Workloads of agents on XState's actors: one machine that adds up, asked by an event that carries how to answer. */
import { type AnyActorRef, assign, createActor, enqueueActions, sendTo, setup } from "xstate";
import type { Contestant, ContestantFactory } from "../src/suite.ts";

interface AddEvent {
  readonly type: "add";
  readonly n: number;
  readonly replyTo?: AnyActorRef;
}

const adder = setup({ types: {} as { context: { count: number }; events: AddEvent } }).createMachine({
  context: { count: 0 },
  on: { add: { actions: assign({ count: ({ context, event }) => context.count + event.n }) } },
});

const answering = setup({ types: {} as { context: { count: number }; events: AddEvent } }).createMachine({
  context: { count: 0 },
  on: {
    add: {
      actions: [
        assign({ count: ({ context, event }) => context.count + event.n }),
        sendTo(
          ({ event }) => event.replyTo as AnyActorRef,
          ({ context }) => ({ type: "reply", count: context.count }),
        ),
      ],
    },
  },
});

/** Asks again as soon as it is answered, as often as it was told to. */
function askerOf(peer: AnyActorRef) {
  const types = {} as {
    context: { left: number };
    events: { type: "reply" } | { type: "go"; times: number };
  };
  return setup({ types }).createMachine({
    context: { left: 0 },
    on: {
      go: {
        actions: [
          assign({ left: ({ event }) => event.times }),
          sendTo(peer, ({ self }) => ({ type: "add", n: 1, replyTo: self })),
        ],
      },
      reply: {
        actions: enqueueActions(({ context, enqueue }) => {
          const left = context.left - 1;
          enqueue.assign({ left });
          if (left > 0) enqueue.sendTo(peer, ({ self }) => ({ type: "add", n: 1, replyTo: self }));
        }),
      },
    },
  });
}

function ask(): Contestant {
  const peer = createActor(answering).start();
  const asker = createActor(askerOf(peer)).start();
  return {
    run(times) {
      asker.send({ type: "go", times });
      if (asker.getSnapshot().context.left !== 0) throw new RangeError("not every ask was answered");
    },
  };
}

function tell(): Contestant {
  const peer = createActor(adder).start();
  return {
    run(times) {
      for (let i = 0; i < times; i++) peer.send({ type: "add", n: 1 });
    },
  };
}

function create(): Contestant {
  return {
    run(times) {
      for (let i = 0; i < times; i++) {
        const actor = createActor(adder).start();
        actor.send({ type: "add", n: 1 });
        actor.stop();
      }
    },
  };
}

/** For `serve.ts`. */
export const contestants: Readonly<Record<string, ContestantFactory>> = { ask, tell, create };
