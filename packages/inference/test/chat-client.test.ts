import { CancelSource } from "@glia-os/kernel/services";
import { afterEach, expect, test } from "vitest";
import { completion, events, json, NEVER, type Reply, startProvider } from "./provider.ts";

const REQUEST = { messages: [{ role: "user", content: "hello" }] };
const KEY = "sk-test-0123456789abcdef";
const running: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const provider of running.splice(0)) await provider.stop();
});

async function provider(...replies: Reply[]) {
  const started = await startProvider(...replies);
  running.push(started);
  return started;
}

async function failure(promise: Promise<unknown>) {
  try {
    await promise;
  } catch (error) {
    return error as { code: string; message: string; details: Record<string, unknown>; retryable: boolean };
  }
  throw new RangeError("it did not fail");
}

test("a request goes out as a chat completion with its key, and the first choice comes back with usage and its cost", async () => {
  const { model, asked } = await provider(json(200, completion("hi")));
  const chat = model({ apiKey: KEY, prices: { inputPerMillion: 1_000_000, outputPerMillion: 2_000_000 } });
  expect(await chat.complete({ ...REQUEST, max_tokens: 9, max_cost: 100 }, NEVER)).toEqual({
    id: "c1",
    model: "m",
    message: { role: "assistant", content: "hi" },
    finish_reason: "stop",
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, cost: 20 },
  });
  expect(asked[0]).toMatchObject({
    url: "/v1/chat/completions",
    headers: { authorization: `Bearer ${KEY}` },
  });
  expect(asked[0]?.body).toEqual({ model: "m", ...REQUEST, max_tokens: 9, stream: false });
});

test("AN1: a stream is collected: text in parts, tool calls without an index, usage in a late chunk without choices", async () => {
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    id: "s1",
    model: "m",
    choices: [{ index: 0, delta, finish_reason }],
  });
  const { model, asked } = await provider(
    events(
      chunk({ role: "assistant", content: "let " }),
      chunk({ content: "me" }),
      chunk({ tool_calls: [{ index: 0, id: "a", function: { name: "add", arguments: '{"x"' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: ":1}" } }] }),
      chunk({ tool_calls: [{ id: "b", function: { name: "sub", arguments: "{}" } }] }),
      chunk({}, "stop"),
      { id: "s1", choices: [], usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 12 } },
    ),
  );
  expect(await model({ stream: true }).complete(REQUEST, NEVER)).toEqual({
    id: "s1",
    model: "m",
    message: {
      role: "assistant",
      content: "let me",
      tool_calls: [
        { id: "a", type: "function", function: { name: "add", arguments: '{"x":1}' } },
        { id: "b", type: "function", function: { name: "sub", arguments: "{}" } },
      ],
    },
    finish_reason: "tool_calls",
    usage: { prompt_tokens: 3, completion_tokens: 9, total_tokens: 12 },
  });
  expect(asked[0]?.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
});

test("CC1: a throttled request is made again after what Retry-After says in seconds or as a date, and not before", async () => {
  const inAMinute = new Date(Date.now() + 40_000).toUTCString();
  const { model, waits, asked } = await provider(
    json(429, {}, { "retry-after": "7" }),
    json(503, {}, { "retry-after": inAMinute }),
    json(200, completion("at last")),
  );
  expect(await model().complete(REQUEST, NEVER)).toMatchObject({ message: { content: "at last" } });
  expect(asked.length).toBe(3);
  expect(waits[0]).toBe(7_000);
  expect(waits[1]).toBeGreaterThan(30_000);
});

test("CC1: attempts end at their limit, and at once when the provider asks to wait longer than allowed", async () => {
  const busy = await provider(json(529, { error: { message: "busy" } }));
  expect(await failure(busy.model({ attempts: 3 }).complete(REQUEST, NEVER))).toMatchObject({
    code: "inference.overloaded",
    retryable: true,
    details: { status: 529, said: "busy", attempts: 3 },
  });
  expect(busy.asked.length).toBe(3);
  const full = await provider(json(429, {}, { "retry-after": "3600" }));
  expect(await failure(full.model().complete(REQUEST, NEVER))).toMatchObject({
    code: "inference.throttled",
    details: { retryAfterMs: 3_600_000, attempts: 1 },
  });
});

test.each([
  [401, {}, "inference.auth"],
  [403, {}, "inference.auth"],
  [402, {}, "inference.out-of-funds"],
  [429, { error: { code: "insufficient_quota", message: "pay" } }, "inference.out-of-funds"],
  [400, { error: { message: "no such model" } }, "inference.refused"],
  [404, "not json at all", "inference.refused"],
  [301, {}, "inference.refused"],
])("status %i with %j is not repeated and fails with %s", async (status, body, code) => {
  const { model, asked } = await provider(json(status, body));
  expect((await failure(model().complete(REQUEST, NEVER))).code).toBe(code);
  expect(asked.length).toBe(1);
});

test("CC2: the key is in no error, also when the provider says it back", async () => {
  const { model } = await provider(json(401, { error: { message: `the key ${KEY} is wrong` } }));
  const error = await failure(model({ apiKey: KEY }).complete(REQUEST, NEVER));
  expect(error.message).toContain("the key [secret] is wrong");
  expect(JSON.stringify(error)).not.toContain(KEY);
});

test("CC2: a request and an answer beyond their limits are refused, the request before anything is sent", async () => {
  const { model, asked } = await provider(json(200, completion("x".repeat(5_000))));
  const tight = model({ requestBytes: 100 });
  const long = { messages: [{ role: "user", content: "y".repeat(200) }] };
  expect((await failure(tight.complete(long, NEVER))).code).toBe("inference.too-large");
  expect(asked.length).toBe(0);
  expect((await failure(model({ answerBytes: 1_000 }).complete(REQUEST, NEVER))).code).toBe(
    "inference.too-large",
  );
});

test.each([
  ["no JSON", (response: Parameters<Reply>[0]) => response.end("<html>")],
  ["no choices", json(200, { choices: [] })],
  ["content that is no text", json(200, { choices: [{ message: { content: 5 } }] })],
  ["a tool call without a name", json(200, { choices: [{ message: { tool_calls: [{ id: "a" }] } }] })],
  ["a stream that broke off", events({ choices: [{ delta: { content: "hal" } }] })],
  ["a stream with an error", events({ error: { message: "overloaded" } })],
])("AN2: %s is no completion", async (_what, reply) => {
  const { model } = await provider(reply as Reply);
  expect((await failure(model().complete(REQUEST, NEVER))).code).toBe("inference.bad-answer");
});

test("AN2: usage that a provider does not state is absent, not made up", async () => {
  const { model } = await provider(json(200, completion("hi", { usage: { prompt_tokens: -1 } })));
  expect(await model().complete(REQUEST, NEVER)).not.toHaveProperty("usage");
});

test("CC1: a broken exchange is not repeated: the provider may have billed it", async () => {
  const { model, asked } = await provider((response) => void response.destroy());
  expect(await failure(model().complete(REQUEST, NEVER))).toMatchObject({
    code: "inference.network",
    retryable: true,
  });
  expect(asked.length).toBe(1);
});

test("CC3: a call that is cancelled while it waits for another attempt makes none", async () => {
  const cancel = new CancelSource();
  const { model, asked } = await provider(json(503, {}));
  const waiting = model({
    timers: {
      schedule: () => {
        queueMicrotask(() => cancel.cancel("enough"));
        return { cancel: () => undefined };
      },
    },
  });
  expect((await failure(waiting.complete(REQUEST, cancel))).code).toBe("inference.network");
  expect(asked.length).toBe(1);
});

test("options out of range and requests without messages are refused before anything is sent", async () => {
  const { model, asked } = await provider(json(200, completion("hi")));
  for (const bad of [
    { attempts: 0 },
    { waitMs: -1 },
    { baseUrl: "nowhere" },
    { apiKey: "two words" },
    { model: "" },
  ])
    expect(() => model(bad)).toThrow(expect.objectContaining({ code: "inference.bad-option" }));
  expect(() => model({ prices: { inputPerMillion: 0.5, outputPerMillion: 1 } })).toThrow(
    "prices.inputPerMillion",
  );
  expect((await failure(model().complete({}, NEVER))).code).toBe("inference.bad-option");
  expect(asked.length).toBe(0);
});
