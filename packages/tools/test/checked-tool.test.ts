import type { Timers } from "@glia-os/abi/ports";
import { CancelSource } from "@glia-os/kernel/services";
import { defineTool, offerOf, type ToolDefinition } from "@glia-os/tools";
import fc from "fast-check";
import { expect, test } from "vitest";

const input = {
  type: "object",
  properties: { n: { type: "integer", minimum: 0 } },
  required: ["n"],
  additionalProperties: false,
};
const never = new CancelSource();

function tool(more: Partial<ToolDefinition<{ n: number }>> = {}) {
  return defineTool<{ n: number }>({
    name: "double",
    description: "Doubles.",
    input,
    run: ({ n }) => n * 2,
    ...more,
  });
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "it did not fail",
    (error: { code?: string }) => error.code ?? String(error),
  );
}

test("CT1: whatever an input is, the tool runs if and only if the schema allows it", async () => {
  let ran = 0;
  const counting = tool({ run: ({ n }) => ++ran + n });
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.jsonValue(), fc.record({ n: fc.oneof(fc.integer(), fc.string()) })),
      async (value) => {
        const before = ran;
        const code = await codeOf(counting.run(value, never, "key"));
        const given = value as { n?: unknown } | null;
        const fits =
          typeof given === "object" &&
          given !== null &&
          !Array.isArray(given) &&
          Object.keys(given).join() === "n" &&
          Number.isInteger(given.n) &&
          Number(given.n) >= 0;
        expect(code).toBe(fits ? "it did not fail" : "tools.invalid-input");
        expect(ran - before).toBe(fits ? 1 : 0);
      },
    ),
  );
});

test("CT1: an answer that the output schema does not allow, or that is no plain data, does not leave the tool", async () => {
  const strict = { output: { type: "number", maximum: 10 } };
  expect(await tool(strict).run({ n: 5 }, never, "key")).toBe(10);
  expect(await codeOf(tool(strict).run({ n: 6 }, never, "key"))).toBe("tools.invalid-output");
  const circle: unknown[] = [];
  circle.push(circle);
  expect(await codeOf(tool({ run: () => circle }).run({ n: 1 }, never, "key"))).toBe("tools.invalid-output");
  expect(await codeOf(tool({ run: () => 1n }).run({ n: 1 }, never, "key"))).toBe("tools.invalid-output");
});

test("CT1: an input and an answer beyond their limits are refused", async () => {
  expect(await codeOf(tool({ inputLimit: 5 }).run({ n: 1 }, never, "key"))).toBe("tools.too-large");
  expect(await codeOf(tool({ outputLimit: 5, run: () => "longer" }).run({ n: 1 }, never, "key"))).toBe(
    "tools.too-large",
  );
});

test("CT2: a call beyond its time is told to stop and fails; what it answers later is dropped", async () => {
  let fire = () => {};
  const timers: Timers = {
    schedule: (_ms, due) => {
      fire = due;
      return { cancel: () => undefined };
    },
  };
  let told: unknown;
  const slow = tool({
    timers,
    timeoutMs: 50,
    run: (_input, cancel) =>
      new Promise((resolve) => {
        cancel.onCancel((reason) => {
          told = reason;
          resolve("late");
        });
      }),
  });
  const call = codeOf(slow.run({ n: 1 }, never, "key"));
  fire();
  expect(await call).toBe("tools.timeout");
  expect(told).toMatchObject({ code: "tools.timeout" });
});

test("what a tool throws comes back as tools.failed, a typed error as itself", async () => {
  const throwing = (error: unknown) => tool({ run: () => Promise.reject(error) });
  expect(await codeOf(throwing(new RangeError("broken")).run({ n: 1 }, never, "key"))).toBe("tools.failed");
  expect(await codeOf(throwing("words").run({ n: 1 }, never, "key"))).toBe("tools.failed");
});

test.each([
  ["a name with a space", { name: "a b" }],
  ["a name of 65 characters", { name: "a".repeat(65) }],
  ["a schema that refers to the network", { input: { $ref: "https://example.com/schema.json" } }],
  ["a schema that refers to nothing", { input: { $ref: "#/$defs/none" } }],
  ["a schema that is a list", { input: [] as never }],
  ["a schema of 300 KB", { input: { description: "x".repeat(300_000) } }],
  ["a time limit without timers", { timeoutMs: 5 }],
  ["a limit of nothing", { outputLimit: 0 }],
])("%s makes no tool", (_what, more) => {
  expect(() => tool(more)).toThrow(expect.objectContaining({ code: "tools.bad-definition" }));
});

test("a model is offered the name, the description and the schema of the input", () => {
  expect(offerOf(tool())).toEqual({
    type: "function",
    function: { name: "double", description: "Doubles.", parameters: input },
  });
});
