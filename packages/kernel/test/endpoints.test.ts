import { ALL_RIGHTS, RIGHTS } from "@glia-os/abi/syscalls";
import { after, type Call, type Handle, isCall, receiveFrom, type Sys } from "@glia-os/kernel";
import { type Envelope, replyReceive, sendTo } from "@glia-os/kernel/ipc";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf, resultOf, run } from "./run.ts";

function codeIn(error: unknown): string {
  return (error as { code?: string }).code ?? String(error);
}

/** Answers every question with its double until it is killed. */
function* doubler(sys: Sys, source: Handle) {
  let request = (yield* sys.receive(source)) as Envelope<number>;
  for (;;) request = yield* replyReceive<number>(sys, source, request, request.message * 2);
}

test("a call waits for a receiver and then for its reply; a server answers one after the other", () => {
  const result = resultOf(function* (sys) {
    const endpoint = sys.endpoint();
    const clients = [1, 2, 3].map((n) =>
      sys.spawn(
        function* (sys, target: Handle) {
          return yield* sys.call<number>(target, n);
        },
        { give: [endpoint] },
      ),
    );
    yield* sys.sleep(1);
    const server = sys.spawn(doubler, { give: [endpoint] });
    const answers: unknown[] = [];
    for (const id of clients) answers.push(yield* sys.wait(id));
    sys.kill(server);
    return answers;
  });
  expect(result).toEqual([2, 4, 6].map((value) => ({ kind: "ok", value })));
});

test("a send waits until it was received; trySend gives up when nobody waits; what arrives tells its sender", () => {
  const result = resultOf(function* (sys) {
    const endpoint = sys.endpoint();
    const early = sys.trySend(endpoint, "nobody");
    const sender = sys.spawn(
      function* (sys, target: Handle) {
        yield* sys.send(target, "hello");
        return sys.now();
      },
      { give: [endpoint] },
    );
    yield* sys.sleep(5);
    const envelope = (yield* sys.receive(endpoint)) as Envelope<string>;
    const { message, from, badge, open } = envelope;
    const late = codeOf(() => sys.reply(envelope, "no call"));
    return [early, message, from === sender, badge, open, isCall(envelope), late, yield* sys.wait(sender)];
  });
  expect(result).toEqual([
    false,
    "hello",
    true,
    0,
    false,
    false,
    "kernel.not-a-call",
    { kind: "ok", value: 5 },
  ]);
});

test("EP1: an endpoint is idle, sending or receiving, as the dump shows", () => {
  const { kernel } = createTestKernel();
  const endpoint = kernel.endpoint();
  const state = () => kernel.dumpState().shell[0]?.state;
  const states = [state()];
  kernel.spawn(doubler, { give: [endpoint] });
  kernel.runSlice();
  states.push(state());
  expect(kernel.trySend(endpoint, "taken")).toBe("taken");
  states.push(state());
  kernel.spawn(
    function* (sys, target: Handle) {
      yield* sys.send(target, 1);
    },
    { give: [kernel.endpoint()] },
  );
  kernel.runSlice();
  states.push(kernel.dumpState().shell[0]?.state);
  expect(states).toEqual(["idle", "receiving", "idle", "sending"]);
});

test("EP2: waiting senders are taken in order, selects last", () => {
  const result = resultOf(function* (sys) {
    const endpoint = sys.endpoint();
    const selecting = sys.spawn(
      function* (sys, target: Handle) {
        return yield* sys.select([sendTo(target, "select"), after(100)]);
      },
      { give: [endpoint] },
    );
    yield* sys.yield();
    for (const word of ["a", "b"]) {
      sys.spawn(
        function* (sys, target: Handle) {
          yield* sys.send(target, word);
        },
        { give: [endpoint] },
      );
    }
    yield* sys.sleep(1);
    const got: unknown[] = [];
    for (let i = 0; i < 3; i++) got.push(((yield* sys.receive(endpoint)) as Envelope).message);
    const [index] = yield* sys.select([receiveFrom(endpoint), after(1)]);
    return [got, index, yield* sys.wait(selecting), sys.tryReceive(endpoint)];
  });
  expect(result).toEqual([["a", "b", "select"], 1, { kind: "ok", value: [0, undefined] }, undefined]);
});

test("EP3: a badge is on every message, call and select sent through a capability, whoever holds it, and cannot be changed", () => {
  const result = resultOf(function* (sys) {
    const endpoint = sys.endpoint();
    const seven = sys.badge(endpoint, 7);
    const nine = sys.badge(endpoint, 9, RIGHTS.send | RIGHTS.call | RIGHTS.grant);
    const child = sys.spawn(
      function* (sys, mine: Handle) {
        const narrow = sys.attenuate(mine, RIGHTS.send);
        yield* sys.send(narrow, "send");
        yield* sys.select([sendTo(narrow, "select")]);
        return [yield* sys.call<string>(mine, "call"), codeOf(() => sys.badge(mine, 1))];
      },
      { give: [nine] },
    );
    const seen: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const { message, badge, open } = (yield* sys.receive(endpoint)) as Envelope;
      seen.push([message, badge, open]);
    }
    const codes = [
      codeOf(() => sys.badge(seven, 8)),
      codeOf(() => sys.tryReceive(seven)),
      ...[0, -1, 1.5, 2 ** 53, Number.NaN].map((badge) => codeOf(() => sys.badge(endpoint, badge))),
    ];
    const revoked = sys.revoke(endpoint);
    const end = yield* sys.wait(child);
    return [seen, codes, revoked, codeOf(() => sys.trySend(nine, 1)), end];
  });
  expect(result).toMatchObject([
    [
      ["send", 9, false],
      ["select", 9, false],
      ["call", 9, true],
    ],
    ["kernel.already-badged", "kernel.missing-right", ...Array(5).fill("kernel.bad-option")],
    4,
    "kernel.dead-handle",
    { kind: "failed", error: { code: "kernel.call-timeout" } },
  ]);
});

test("a call that was not received in time leaves the endpoint; one that was received refuses a late reply", () => {
  const result = resultOf(function* (sys) {
    const endpoint = sys.endpoint();
    const client = function* (sys: Sys, target: Handle) {
      return yield* sys.call(target, "?", 10);
    };
    const ends: unknown[] = [yield* sys.wait(sys.spawn(client, { give: [endpoint] }))];
    ends.push(sys.tryReceive(endpoint));
    const slow = sys.spawn(client, { give: [endpoint] });
    const request = (yield* sys.receive(endpoint)) as Call;
    ends.push(yield* sys.wait(slow));
    return [...ends, request.open, codeOf(() => sys.reply(request, "late"))];
  });
  const timeout = { kind: "failed", error: { code: "kernel.call-timeout" } };
  expect(result).toMatchObject([timeout, undefined, timeout, false, "kernel.late-reply"]);
});

test("a second reply is refused, and a caller that was killed while it waited to be received is not received", () => {
  const result = resultOf(function* (sys) {
    const endpoint = sys.endpoint();
    const caller = function* (sys: Sys, target: Handle) {
      return yield* sys.call(target, "?");
    };
    const killed = sys.spawn(caller, { give: [endpoint] });
    yield* sys.yield();
    sys.kill(killed);
    const answered = sys.spawn(caller, { give: [endpoint] });
    const request = (yield* sys.receive(endpoint)) as Envelope;
    sys.reply(request, 1);
    const second = codeOf(() => sys.reply(request, 2));
    return [request.from === answered, second, yield* sys.wait(answered), sys.tryReceive(endpoint)];
  });
  expect(result).toEqual([true, "kernel.double-reply", { kind: "ok", value: 1 }, undefined]);
});

test("EP4: when the last receiver is gone, who waits to send or call is told, and so is who comes later", () => {
  const { exit } = run(function* (sys) {
    const endpoint = sys.endpoint();
    const out = sys.attenuate(endpoint, ALL_RIGHTS & ~RIGHTS.receive);
    const give = { give: [out] };
    const ids = [
      sys.spawn(function* (sys, target: Handle) {
        yield* sys.send(target, 1);
      }, give),
      sys.spawn(function* (sys, target: Handle) {
        yield* sys.call(target, 1);
      }, give),
      sys.spawn(function* (sys, target: Handle) {
        yield* sys.select([after(50), sendTo(target, 1)]);
      }, give),
    ];
    yield* sys.sleep(1);
    sys.drop(endpoint);
    const codes = [codeOf(() => sys.trySend(out, 1))];
    for (const operation of [
      () => sys.send(out, 1),
      () => sys.call(out, 1),
      () => sys.select([sendTo(out, 1)]),
    ]) {
      try {
        yield* operation() as ReturnType<Sys["yield"]>;
      } catch (error) {
        codes.push(codeIn(error));
      }
    }
    const ends: unknown[] = [];
    for (const id of ids) ends.push(yield* sys.wait(id));
    return [codes, ends, sys.now()];
  });
  const told = { kind: "failed", error: { code: "kernel.endpoint-closed" } };
  expect(exit).toMatchObject({ value: [Array(4).fill("kernel.endpoint-closed"), [told, told, told], 1] });
});

test("bad input: other kinds of handles, missing rights and bad durations are refused and nobody waits", () => {
  const result = resultOf(function* (sys) {
    const endpoint = sys.endpoint();
    const mute = sys.attenuate(endpoint, RIGHTS.receive);
    const channel = sys.channel<number>(1);
    const codes = [
      codeOf(() => sys.badge(channel, 1)),
      codeOf(() => sys.badge(0 as Handle, 1)),
      codeOf(() => sys.close(endpoint)),
      codeOf(() => sys.trySend(mute, 1)),
    ];
    for (const operation of [
      () => sys.call(mute, 1),
      () => sys.call(channel, 1),
      () => sys.call(endpoint, 1, Number.NaN),
      () => sys.call(endpoint, 1, -1),
    ]) {
      try {
        yield* operation();
      } catch (error) {
        codes.push(codeIn(error));
      }
    }
    return [codes, sys.tryReceive(endpoint)];
  });
  expect(result).toEqual([
    [
      "kernel.wrong-object",
      "kernel.dead-handle",
      "kernel.wrong-object",
      "kernel.missing-right",
      "kernel.missing-right",
      "kernel.wrong-object",
      "kernel.bad-duration",
      "kernel.bad-duration",
    ],
    undefined,
  ]);
});

test("any mix of calls and sends over any number of servers: each is received once, and each call gets its own answer", () => {
  const shape = fc.record({
    servers: fc.integer({ min: 1, max: 3 }),
    clients: fc.array(fc.array(fc.boolean(), { maxLength: 8 }), { minLength: 1, maxLength: 6 }),
  });
  fc.assert(
    fc.property(shape, ({ servers, clients }) => {
      const received: string[] = [];
      const { kernel, clock } = createTestKernel();
      const endpoint = kernel.endpoint();
      const server = function* (sys: Sys, source: Handle) {
        for (;;) {
          const request = (yield* sys.receive(source)) as Envelope<string>;
          received.push(request.message);
          if (isCall(request)) sys.reply(request, `re ${request.message}`);
        }
      };
      const ids = Array.from({ length: servers }, () => kernel.spawn(server, { give: [endpoint] }));
      kernel.spawn(
        function* (sys, target: Handle) {
          const tasks = clients.map((calls, who) =>
            sys.spawn(
              function* (sys, target: Handle) {
                for (const [i, asks] of calls.entries()) {
                  const message = `${who}.${i}`;
                  if (!asks) yield* sys.send(target, message);
                  else if ((yield* sys.call(target, message)) !== `re ${message}`)
                    throw new RangeError(`the answer to ${message} was another's`);
                }
              },
              { give: [target] },
            ),
          );
          for (const id of tasks) {
            const exit = yield* sys.wait(id);
            if (exit.kind !== "ok") throw new RangeError(`a client ended as ${exit.kind}`);
          }
        },
        { give: [endpoint] },
      );
      expect(runToCompletion(kernel, clock, 10_000)).toBe("stuck");
      for (const id of ids) kernel.kill(id);
      expect(runToCompletion(kernel, clock)).toBe("ended");
      const sent = clients.flatMap((calls, who) => calls.map((_, i) => `${who}.${i}`));
      expect(received.toSorted()).toEqual(sent.toSorted());
    }),
  );
});
