import { agent, decodeEnvelope, encodeEnvelope } from "@glia-os/cells/agent";
import { durableAgent, MESSAGE_BYTES_MAX } from "@glia-os/cells/domain";
import { expect, test } from "vitest";
import { Disk, DomainNode, move } from "./domain-world.ts";

interface Counted {
  count: number;
  words: string[];
}

const counter = agent({
  name: "counter",
  state: (): Counted => ({ count: 0, words: [] }),
  start(ctx) {
    ctx.state.words.push("started");
  },
  on: {
    add: {
      handle(ctx, n: number) {
        ctx.state.count += n;
        return ctx.state.count;
      },
    },
    say: {
      *handle(ctx, word: string) {
        yield* ctx.sleep(20);
        ctx.state.words.push(word);
        return ctx.state.words.join(" ");
      },
    },
    fill: {
      handle(ctx, bytes: number) {
        ctx.state.count++;
        return "x".repeat(bytes);
      },
    },
    call: {
      *handle(ctx, _: unknown) {
        return yield* ctx.ask({ id: "12".repeat(16) }, "add", 1);
      },
    },
  },
});
const PROGRAMS = [durableAgent(counter)] as never;

/** Ask by an envelope; gives the answer's kind and input. */
async function ask(
  node: DomainNode,
  seq: number,
  message: string,
  input?: unknown,
): Promise<readonly unknown[]> {
  const known = node.heard.replies.length;
  await node.send(seq, encodeEnvelope({ kind: "ask", from: undefined, correlation: seq, message, input }), {
    ask: true,
    floor: seq,
  });
  while (node.heard.replies.length === known) await new Promise<void>((resolve) => setImmediate(resolve));
  const { kind, input: answer } = decodeEnvelope(node.heard.replies.at(-1)?.[1] ?? "");
  return [kind, answer];
}

const tell = (node: DomainNode, seq: number, message: string, input: unknown): Promise<string> =>
  node.send(seq, encodeEnvelope({ kind: "tell", from: undefined, correlation: 0, message, input }));

test("an agent made by agent() counts on after its process died, also in the middle of a wait, and begins once", async () => {
  const disk = new Disk();
  let node = new DomainNode(PROGRAMS, disk, { historyBytes: 2000 });
  await node.start("counter");
  let seq = 0;
  for (let n = 0; n < 250; n++) await tell(node, ++seq, "add", 1);
  expect(await ask(node, ++seq, "add", 1)).toEqual(["reply", 251]);
  expect(
    (await disk.journal.head((await node.runner.stored())[0]?.agent ?? "ab".repeat(16)))?.firstSeq,
  ).toBeGreaterThan(1);
  const waiting = encodeEnvelope({
    kind: "ask",
    from: undefined,
    correlation: 900,
    message: "say",
    input: "hello",
  });
  await node.send(++seq, waiting, { ask: true, floor: seq });
  await node.runner.close();
  const before = node.heard.replies.length;
  node = new DomainNode(PROGRAMS, disk, { historyBytes: 2000 });
  await node.recover();
  // Whether the reply was made before the process ended or after, whoever asks again gets it.
  let said = "";
  while (!said.startsWith("duplicate ")) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    said = await node.send(seq, waiting, { ask: true, floor: seq });
  }
  expect(before).toBeGreaterThan(0);
  expect(decodeEnvelope(said.slice("duplicate ".length))).toMatchObject({
    kind: "reply",
    correlation: 900,
    input: "started hello",
  });
  expect(await ask(node, ++seq, "add", 4)).toEqual(["reply", 255]);
});

test("an agent made by agent() moves with its state", async () => {
  const [from, to] = [new DomainNode(PROGRAMS), new DomainNode(PROGRAMS)];
  await from.start("counter");
  expect(await ask(from, 1, "add", 5)).toEqual(["reply", 5]);
  await move(from, to, 2);
  expect(await ask(to, 2, "add", 5)).toEqual(["reply", 10]);
});

test("DA4: an answer that is too long is an error to its asker, and the agent goes on, also after its process died", async () => {
  const disk = new Disk();
  let node = new DomainNode(PROGRAMS, disk);
  await node.start("counter");
  expect(await ask(node, 1, "fill", MESSAGE_BYTES_MAX)).toMatchObject(["error", { code: "agent.bad-reply" }]);
  expect(await ask(node, 2, "fill", 1000)).toEqual(["reply", "x".repeat(1000)]);
  expect(await ask(node, 3, "add", 1)).toEqual(["reply", 3]);
  await node.runner.close();
  node = new DomainNode(PROGRAMS, disk);
  await node.recover();
  expect(await ask(node, 4, "add", 1)).toEqual(["reply", 4]);
  expect(node.heard.ended).toEqual([]);
});

test("what is no envelope, no message of it, or reaches beyond it is answered with an error, and the agent goes on", async () => {
  const node = new DomainNode(PROGRAMS);
  await node.start("counter");
  await node.send(1, "rubbish", { ask: true });
  while (node.heard.replies.length === 0) await new Promise<void>((resolve) => setImmediate(resolve));
  expect(decodeEnvelope(node.heard.replies[0]?.[1] ?? "").kind).toBe("error");
  expect(await ask(node, 2, "nothing")).toMatchObject(["error", { code: "agent.unknown-message" }]);
  expect(await ask(node, 3, "call")).toMatchObject(["error", { code: "agent.unknown-agent" }]);
  expect(await ask(node, 4, "add", 1)).toEqual(["reply", 1]);
});
