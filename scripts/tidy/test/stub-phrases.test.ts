import { describe, expect, test } from "vitest";
import { stubPhrases } from "../rules/stub-phrases.ts";
import { broken } from "./broken.ts";

describe("each phrase marks unfinished code", () => {
  const phrases = [
    "// TODO: later",
    "// FIXME",
    "// For now, just signal completion",
    "// In a real implementation we would wait",
    "// in production this would be signed",
    "// would normally send it",
    "const PLACEHOLDER = 1;",
    'throw "not implemented";',
    "// not yet implemented",
    "// returns a mock response",
    "// logic goes here",
    "// a stub implementation",
  ];
  test.each(phrases)("%s", (text) => {
    expect(broken(stubPhrases, { "packages/abi/src/a.ts": `\n${text}\n` })[0]).toMatch(
      /^packages\/abi\/src\/a.ts:2 /,
    );
  });
});

test("words that only resemble a phrase pass, and so do fixtures and built output", () => {
  const files = {
    "packages/abi/src/a.ts": "for (const now of times) wait(now); // the todo list, placeholders, before now",
    "packages/abi/test/fixtures/a.ts": "// TODO",
    "packages/abi/dist/a.js": "// TODO",
    "docs/a.md": "TODO",
  };
  expect(broken(stubPhrases, files)).toEqual([]);
});
