import { MessageChannel } from "node:worker_threads";
import { errorCodeOf, MalformedError } from "@glia-os/abi/errors";
import { afterEach, describe, expect, test } from "vitest";
import {
  IN_FLIGHT_LIMIT,
  linkThreads,
  MOVED_LEAST_BYTES,
  moved,
  movedWhole,
  type ThreadLink,
} from "../src/thread-call.ts";

class Adder {
  readonly held: (() => void)[] = [];
  add(a: number, b: number): number {
    return a + b;
  }
  echo(bytes: Uint8Array): Uint8Array {
    return bytes;
  }
  fail(): never {
    throw new MalformedError("value", "it is bad");
  }
  hold(): Promise<void> {
    return new Promise((resolve) => this.held.push(resolve));
  }
}

const links: ThreadLink<object>[] = [];
function pair<Service extends object>(isRinged: boolean, service: Service): ThreadLink<Service> {
  const { port1, port2 } = new MessageChannel();
  const [near, far] = isRinged ? (["offers", "accepts"] as const) : [];
  links.push(linkThreads<object>(port2, service, far));
  const link = linkThreads<Service>(port1, {}, near);
  links.push(link);
  return link;
}
afterEach(() => {
  for (const link of links.splice(0)) link.close();
});

describe.each([
  ["a port", false],
  ["shared memory (TC5)", true],
] as const)("over %s", (_, isRinged) => {
  test("TC1: a call is answered by its result", async () => {
    await expect(pair(isRinged, new Adder()).remote.add(2, 3)).resolves.toBe(5);
  });

  test("TC1: a failure arrives with the code it was raised with", async () => {
    const failure = await pair(isRinged, new Adder())
      .remote.fail()
      .catch((error: unknown) => error);
    expect(errorCodeOf(failure)).toBe("abi.malformed");
  });

  test("TC1: a method the other side does not have is a failure, not silence", async () => {
    const link = pair(isRinged, new Adder()).remote as unknown as { nothing(): Promise<void> };
    await expect(link.nothing()).rejects.toThrow();
  });

  test("TC1: closing the port fails every call that waits", async () => {
    const link = pair(isRinged, new Adder());
    const waiting = link.remote.hold();
    link.close();
    expect(errorCodeOf(await waiting.catch((error: unknown) => error))).toBe("daemon.thread-gone");
    expect(errorCodeOf(await link.remote.add(1, 1).catch((error: unknown) => error))).toBe(
      "daemon.thread-gone",
    );
  });

  test("TC2: one call over the limit is refused and the others still get their answers", async () => {
    const service = new Adder();
    const link = pair(isRinged, service);
    const calls = Array.from({ length: IN_FLIGHT_LIMIT }, () => link.remote.hold());
    expect(errorCodeOf(await link.remote.add(1, 1).catch((error: unknown) => error))).toBe(
      "daemon.thread-busy",
    );
    const release = async (): Promise<void> => {
      while (service.held.length < IN_FLIGHT_LIMIT) await new Promise((resolve) => setImmediate(resolve));
      for (const done of service.held) done();
    };
    await release();
    await Promise.all(calls);
    await expect(link.remote.add(1, 1)).resolves.toBe(2);
  });

  test("TC2: calls whose arguments no port can carry fail, and do not count to the limit", async () => {
    const { remote } = pair(isRinged, new Adder());
    const unposted = remote.add as (...args: unknown[]) => Promise<unknown>;
    const calls = Array.from({ length: IN_FLIGHT_LIMIT }, () => unposted(() => 1));
    const ends = await Promise.allSettled(calls);
    expect(ends.filter(({ status }) => status === "rejected").length).toBe(IN_FLIGHT_LIMIT);
    await expect(remote.add(1, 1)).resolves.toBe(2);
  });

  test("TC4: bytes are copied unless the caller gives them up", async () => {
    const { remote } = pair(isRinged, new Adder());
    const kept = new Uint8Array([1, 2, 3]);
    const given = new Uint8Array(MOVED_LEAST_BYTES).fill(4);
    const few = new Uint8Array([4, 5, 6]);
    await expect(remote.echo(kept)).resolves.toEqual(kept);
    await expect(remote.echo(moved(given))).resolves.toEqual(new Uint8Array(MOVED_LEAST_BYTES).fill(4));
    await expect(remote.echo(moved(few))).resolves.toEqual(few);
    expect([kept.length, given.length, few.length]).toEqual([3, 0, 3]);
  });

  test("TC4: the end of a buffer goes with all of it, unless most of that is something else", async () => {
    const { remote } = pair(isRinged, new Adder());
    const message = new Uint8Array(2 * MOVED_LEAST_BYTES).fill(5);
    const [head, body] = [message.subarray(0, 50), message.subarray(50)];
    await expect(remote.echo(movedWhole(body))).resolves.toEqual(
      new Uint8Array(2 * MOVED_LEAST_BYTES - 50).fill(5),
    );
    expect([head.length, body.length], "moved").toEqual([0, 0]);
    const pool = new Uint8Array(4 * MOVED_LEAST_BYTES).fill(6);
    for (const part of [pool.subarray(0, 3 * MOVED_LEAST_BYTES), pool.subarray(2 * MOVED_LEAST_BYTES)])
      await expect(remote.echo(movedWhole(part))).resolves.toEqual(new Uint8Array(part.length).fill(6));
    expect(pool.length, "copied").toBe(4 * MOVED_LEAST_BYTES);
  });

  test("TC3: what was told before a call is done before the call", async () => {
    const seen: number[] = [];
    const service = { note: (value: number): void => void seen.push(value), all: (): number[] => seen };
    const link = pair(isRinged, service);
    for (let value = 0; value < 100; value++) link.tell.note(value);
    await expect(link.remote.all()).resolves.toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  test("TC4: of a view only its own bytes cross, alone and inside an object", async () => {
    const big = new Uint8Array(1024 * 1024).fill(7);
    const sizes: number[] = [];
    const service = {
      take: (bytes: Uint8Array, item: { payload: Uint8Array }): void =>
        void sizes.push(bytes.buffer.byteLength, item.payload.buffer.byteLength),
      done: (): void => {},
    };
    const link = pair(isRinged, service);
    await link.remote.take(big.subarray(5, 9), { payload: moved(big.subarray(0, 3)) });
    expect(sizes).toEqual([4, 3]);
    expect(big.length).toBe(1024 * 1024);
  });
});
