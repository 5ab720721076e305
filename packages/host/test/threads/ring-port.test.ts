/** Two ends of a port in one thread, and one in another thread that ends. */
import { MessageChannel, Worker } from "node:worker_threads";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { lookoutHere } from "../../src/threads/lookout.ts";
import { RingPort } from "../../src/threads/ring-port.ts";

const open: { close(): void }[] = [];
afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

function pair(): { readonly a: RingPort; readonly b: RingPort } {
  const { port1, port2 } = new MessageChannel();
  const ports = { a: new RingPort(port1, "offers"), b: new RingPort(port2, "accepts") };
  open.push(ports.a, ports.b);
  return ports;
}

/** The next `count` messages of a port. */
function heard(port: RingPort, count: number): Promise<unknown[]> {
  return new Promise((resolve) => {
    const all: unknown[] = [];
    port.on("message", (message) => {
      all.push(message);
      if (all.length === count) resolve(all);
    });
  });
}

/** Both ends know the memory. */
async function met(): Promise<{ readonly a: RingPort; readonly b: RingPort }> {
  const ports = pair();
  const first = heard(ports.b, 1);
  ports.a.postMessage("met");
  await first;
  return ports;
}

const message = fc.oneof(
  fc.record({ small: fc.integer() }),
  fc.constant({ date: new Date(5) }),
  fc.integer({ min: 60_000, max: 70_000 }).map((length) => ({ bytes: new Uint8Array(length).fill(3) })),
  fc.array(fc.string(), { maxLength: 5 }),
);

test("RP1: what goes by the memory and what goes by the port arrive in one order, unchanged", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 30 }), async (messages) => {
      const { a, b } = await met();
      const arrived = heard(b, messages.length);
      for (const one of messages) a.postMessage(one);
      expect(await arrived).toEqual(messages);
      a.close();
    }),
    { numRuns: 40 },
  );
});

test("RP2: more than the memory holds goes on by the port, in order, while nobody reads", async () => {
  const { a, b } = await met();
  const count = 3000;
  const text = "y".repeat(300);
  const arrived = heard(b, count);
  for (let i = 0; i < count; i++) a.postMessage({ i, text });
  const all = (await arrived) as { readonly i: number }[];
  expect(all.map(({ i }) => i)).toEqual(all.map((_, i) => i));
});

test("RP2: what no port can carry is refused as a port refuses it, and the next message arrives", async () => {
  const { a, b } = await met();
  expect(() => a.postMessage({ run: () => 1 })).toThrow(/could not be cloned/);
  const arrived = heard(b, 1);
  a.postMessage("after");
  expect(await arrived).toEqual(["after"]);
});

test("RP2: a buffer that is given up is moved", async () => {
  const { a, b } = await met();
  const bytes = new Uint8Array([1, 2, 3]);
  const arrived = heard(b, 1);
  a.postMessage({ bytes }, [bytes.buffer]);
  expect(await arrived).toEqual([{ bytes: new Uint8Array([1, 2, 3]) }]);
  expect(bytes.length).toBe(0);
});

test("messages whose getters post another all arrive whole, also when the port refuses the outer one", async () => {
  const { a, b } = await met();
  const arrived = heard(b, 5);
  const outer = (more: unknown): unknown => ({
    get inner() {
      a.postMessage("inner");
      return more;
    },
  });
  a.postMessage(outer(1));
  a.postMessage(outer(new Date(1)));
  expect(() => a.postMessage(outer(() => 1))).toThrow(/could not be cloned/);
  a.postMessage("last");
  const all = await arrived;
  expect(all.filter((one) => one === "inner").length).toBeGreaterThanOrEqual(2);
  expect(all).toContainEqual({ inner: 1 });
  expect(all).toContainEqual({ inner: new Date(1) });
});

test("LK2: timers run while messages come without end", async () => {
  const { a, b } = await met();
  const most = 300_000;
  let came = 0;
  let over = false;
  b.on("message", () => {
    came++;
    if (!over && came < most) a.postMessage(came);
  });
  a.postMessage(0);
  while (came === 0) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setTimeout(resolve, 1));
  over = true;
  expect(came).toBeLessThan(most);
});

test("RP1: a message whose getter posts another by the port comes after it, and the next one arrives", async () => {
  for (const ports of [await met(), pair()]) {
    const { a, b } = ports;
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const arrived = heard(to, 3);
      const outer = {
        at: new Date(1),
        get more() {
          from.postMessage(new Date(2));
          return 1;
        },
      };
      from.postMessage(outer);
      from.postMessage("last");
      expect(await arrived).toEqual([new Date(2), { at: new Date(1), more: 1 }, "last"]);
    }
  }
});

test("what comes after the last listener has gone waits for the next one, also when it goes in between", async () => {
  const { a, b } = pair();
  const seen: unknown[] = [];
  const some = (count: number, last: unknown): Promise<void> =>
    new Promise((resolve) => {
      const listener = (one: unknown): void => {
        seen.push(one);
        if (seen.length < count) return;
        b.off("message", listener);
        resolve();
      };
      b.on("message", listener);
      if (last !== undefined) a.postMessage(last);
    });
  await some(1, "met");
  for (let i = 0; i < 5; i++) a.postMessage(i === 3 ? new Date(i) : i);
  await some(3, undefined);
  expect(seen).toEqual(["met", 0, 1]);
  await some(6, undefined);
  expect(seen).toEqual(["met", 0, 1, 2, new Date(3), 4]);
});

test("RP3: after this end was closed nothing arrives, neither by the memory nor by the port", async () => {
  for (const before of [0, 2]) {
    const { a, b } = await met();
    const seen: unknown[] = [];
    b.on("message", (one) => {
      seen.push(one);
      if (seen.length === before) b.close();
    });
    for (let i = 0; i < 6; i++) a.postMessage(i % 2 === 1 ? new Date(i) : i);
    const closed = new Promise<void>((resolve) => void a.on("close", () => resolve()));
    if (before === 0) b.close();
    await closed;
    expect(seen.length).toBe(before);
  }
});

test("messages wait for the first listener, and none arrives after the last has gone", async () => {
  const { a, b } = pair();
  for (let i = 0; i < 5; i++) a.postMessage(i);
  const seen: unknown[] = [];
  const listener = (one: unknown): void => void seen.push(one);
  b.on("message", listener);
  const back = heard(a, 1);
  b.postMessage("ready");
  await back;
  while (seen.length < 5) await new Promise((resolve) => setImmediate(resolve));
  b.off("message", listener);
  a.postMessage("unheard");
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen).toEqual([0, 1, 2, 3, 4]);
});

test("RP3: what a thread posted before it ended arrives, in order, before its end", async () => {
  const source = `
    import { parentPort } from "node:worker_threads";
    import { RingPort } from ${JSON.stringify(new URL("../../src/threads/ring-port.ts", import.meta.url).href)};
    const port = new RingPort(parentPort, "accepts");
    port.on("message", () => {
      for (let i = 0; i < 500; i++) port.postMessage(i % 50 === 49 ? { i, at: new Date(i) } : { i });
      process.exit(0);
    });`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
    execArgv: ["--conditions=@glia-os/source"],
  });
  const port = new RingPort(worker, "offers");
  const seen: number[] = [];
  const end = new Promise<number>((resolve) => {
    port.on("message", (one) => void seen.push((one as { readonly i: number }).i));
    port.on("exit", () => resolve(seen.length));
  });
  port.postMessage("go");
  expect(seen.slice(0, await end)).toEqual(Array.from({ length: 500 }, (_, i) => i));
});

test("a thousand asks and answers between two threads all arrive, in bursts and one by one", async () => {
  const source = `
    import { parentPort } from "node:worker_threads";
    import { RingPort } from ${JSON.stringify(new URL("../../src/threads/ring-port.ts", import.meta.url).href)};
    const port = new RingPort(parentPort, "accepts");
    port.on("message", (message) => port.postMessage(message));`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
    execArgv: ["--conditions=@glia-os/source"],
  });
  const port = new RingPort(worker, "offers");
  const seen: unknown[] = [];
  let wake: (() => void) | undefined;
  port.on("message", (one) => {
    seen.push(one);
    wake?.();
  });
  for (let sent = 0; sent < 1000; ) {
    const burst = 1 + (sent % 7);
    for (let i = 0; i < burst; i++) port.postMessage(sent++);
    while (seen.length < sent) await new Promise<void>((resolve) => (wake = resolve));
    // Now and then both threads fall asleep in between.
    if (sent % 100 < 7) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(seen).toEqual(seen.map((_, i) => i));
  await worker.terminate();
});

test("a side that is neither is refused", () => {
  const { port1 } = new MessageChannel();
  open.push(port1);
  expect(() => new RingPort(port1, "both" as never)).toThrow("side is both");
});

test("a longest wait outside its range is refused", () => {
  const { port1 } = new MessageChannel();
  open.push(port1);
  for (const waitMs of [-1, 0.009, 1.1, Number.NaN, "1" as never])
    expect(() => new RingPort(port1, "offers", { waitMs })).toThrow("it must be 0, or 0.01 to 1");
});

test("RP4: threads that are never to look carry everything all the same, in order", async () => {
  const { port1, port2 } = new MessageChannel();
  const [a, b] = [new RingPort(port1, "offers", { waitMs: 0 }), new RingPort(port2, "accepts")];
  open.push(a, b);
  for (let round = 0; round < 300; round++) {
    const arrived = heardOnce(b);
    a.postMessage({ round });
    expect(await arrived).toEqual({ round });
    const answer = heardOnce(a);
    b.postMessage(round);
    expect(await answer).toBe(round);
  }
  expect(lookoutHere().awake).toBe(false);
});

function heardOnce(port: RingPort): Promise<unknown> {
  return new Promise((resolve) => {
    const listener = (message: unknown): void => {
      port.off("message", listener);
      resolve(message);
    };
    port.on("message", listener);
  });
}
