import { MessageChannel } from "node:worker_threads";
import { errorCodeOf, MalformedError } from "@glia-os/abi/errors";
import { afterEach, expect, test } from "vitest";
import { IN_FLIGHT_LIMIT, linkThreads, moved, type ThreadLink } from "../src/thread-call.ts";

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
function pair(service: Adder): ThreadLink<Adder> {
  const { port1, port2 } = new MessageChannel();
  links.push(linkThreads<object>(port2, service));
  const link = linkThreads<Adder>(port1, {});
  links.push(link);
  return link;
}
afterEach(() => {
  for (const link of links.splice(0)) link.close();
});

test("TC1: a call is answered by its result", async () => {
  await expect(pair(new Adder()).remote.add(2, 3)).resolves.toBe(5);
});

test("TC1: a failure arrives with the code it was raised with", async () => {
  const failure = await pair(new Adder())
    .remote.fail()
    .catch((error: unknown) => error);
  expect(errorCodeOf(failure)).toBe("abi.malformed");
});

test("TC1: a method the other side does not have is a failure, not silence", async () => {
  const link = pair(new Adder()).remote as unknown as { nothing(): Promise<void> };
  await expect(link.nothing()).rejects.toThrow();
});

test("TC1: closing the port fails every call that waits", async () => {
  const link = pair(new Adder());
  const waiting = link.remote.hold();
  link.close();
  expect(errorCodeOf(await waiting.catch((error: unknown) => error))).toBe("daemon.thread-gone");
  expect(errorCodeOf(await link.remote.add(1, 1).catch((error: unknown) => error))).toBe(
    "daemon.thread-gone",
  );
});

test("TC2: one call over the limit is refused and the others still get their answers", async () => {
  const service = new Adder();
  const link = pair(service);
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

test("TC3: bytes are copied unless the caller gives them up", async () => {
  const { remote } = pair(new Adder());
  const kept = new Uint8Array([1, 2, 3]);
  const given = new Uint8Array([4, 5, 6]);
  await expect(remote.echo(kept)).resolves.toEqual(kept);
  await expect(remote.echo(moved(given))).resolves.toEqual(new Uint8Array([4, 5, 6]));
  expect([kept.length, given.length]).toEqual([3, 0]);
});
