/** A guest that waits for a message for a limited time, on virtual time. */
import { expect, test } from "vitest";
import { AGENT, EPOCH, HostUnderTest, manifestOf, message, move } from "./host-under-test.ts";

const ask = async (host: HostUnderTest, seq: number): Promise<string> => {
  expect(host.gate.deliver(message(seq, new Uint8Array(1), { ask: true })).kind).toBe("accepted");
  await host.run();
  return new TextDecoder().decode(host.replies.at(-1)?.payload);
};

async function patient(): Promise<HostUnderTest> {
  const host = new HostUnderTest();
  await host.settle(host.gate.start(AGENT, EPOCH(1), manifestOf("patient")));
  await host.run();
  return host;
}

test("receive_within gives a message at once, and E_TIMEOUT when the time is over", async () => {
  const host = await patient();
  await host.pass(999);
  expect(await ask(host, 1)).toBe("0");
  await host.pass(999);
  expect(await ask(host, 2)).toBe("0");
  await host.pass(1000);
  await host.pass(1000);
  expect(await ask(host, 3)).toBe("2");
});

test("a wait with a limit that moves goes on with what was left of it", async () => {
  const [from, to] = [await patient(), new HostUnderTest()];
  await from.pass(700);
  await move(from, to, EPOCH(2));
  await to.pass(299);
  expect(await ask(to, 1)).toBe("0");
  await to.pass(1000);
  expect(await ask(to, 2)).toBe("1");

  const back = new HostUnderTest();
  await to.pass(600);
  await move(to, back, EPOCH(3));
  await back.pass(400);
  expect(await ask(back, 3)).toBe("2");
});
