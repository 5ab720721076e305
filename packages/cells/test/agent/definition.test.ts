/** What `agent` refuses, each with the field named and nothing made. */
import { errorCodeOf } from "@glia-os/abi/errors";
import { agent, isDefinition } from "@glia-os/cells/agent";
import { describe, expect, test } from "vitest";
import { world } from "./world.ts";

const on = { go: { handle: () => 1 } };
const schema = { "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) } };

const refused: readonly (readonly [string, unknown])[] = [
  ["definition", null],
  ["definition", "counter"],
  ["name", { name: "Big Name", on }],
  ["name", { name: "", on }],
  ["name", { name: "a".repeat(65), on }],
  ["colour", { name: "a", on, colour: "red" }],
  ["version", { name: "a", version: 0, on }],
  ["version", { name: "a", version: 1.5, on }],
  ["state", { name: "a", state: 1, on }],
  ["state", { name: "a", state: { schema: {}, initial: () => 1 }, on }],
  ["on", { name: "a" }],
  ["on", { name: "a", on: {} }],
  ["on", { name: "a", on: Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`m${i}`, on.go])) }],
  ["on.go", { name: "a", on: { go: 1 } }],
  ["on.go.handle", { name: "a", on: { go: {} } }],
  ["on.go.handle", { name: "a", on: { go: { handle: async () => 1 } } }],
  ["on.go.handle", { name: "a", on: { go: { handle: () => 1, chunk: schema } } }],
  ["on.go.input", { name: "a", on: { go: { handle: () => 1, input: {} } } }],
  ["on.go.output", { name: "a", on: { go: { handle: () => 1, output: schema } } }],
  ["stop", { name: "a", on, stop: function* () {} }],
  ["start", { name: "a", on, start: async () => {} }],
  ["invariant", { name: "a", on, invariant: true }],
  ["onError", { name: "a", on, onError: "ignore" }],
  ["supervise", { name: "a", on, supervise: { onFailure: "pray" } }],
  ["supervise", { name: "a", on, supervise: { onFailure: "restart", intensity: -1 } }],
  ["supervise", { name: "a", on, supervise: { onFailure: "restart", periodMs: 0 } }],
];

describe("a definition is refused for its", () => {
  test.each(refused)("%s", (field, options) => {
    expect(() => agent(options as never)).toThrow(
      expect.objectContaining({ code: "agent.bad-definition", details: { field } }),
    );
  });
});

test("a definition is frozen and known as one", () => {
  const made = agent({ name: "a", on });
  expect(Object.isFrozen(made)).toBe(true);
  expect(isDefinition(made)).toBe(true);
  expect(isDefinition({ name: "a", on })).toBe(false);
});

test("a schema that answers with a promise refuses its message with a typed error", async () => {
  const slow = { "~standard": { ...schema["~standard"], validate: async (value: unknown) => ({ value }) } };
  const late = agent({ name: "late", on: { go: { input: slow as never, handle: () => 1 } } });
  const { system, codeOf } = world();
  expect(await codeOf(system.spawn(late).then((ref) => system.ask(ref, "go")))).toBe("agent.async-schema");
});

test("a state that does not fit its schema makes no agent", async () => {
  const strict = agent({
    name: "strict",
    state: {
      schema: {
        "~standard": { version: 1, vendor: "test", validate: () => ({ issues: [{ message: "never" }] }) },
      } as never,
      initial: () => ({}),
    },
    on,
  });
  const { system, codeOf, kernel } = world();
  expect(await codeOf(system.spawn(strict, { name: "s" }))).toBe("agent.bad-state");
  expect(kernel.liveTasks).toBe(0);
  expect(await system.find("s")).toBeUndefined();
  expect(errorCodeOf(await system.spawn({} as never).catch((error: unknown) => error))).toBe(
    "agent.bad-argument",
  );
});
