/** What a drain that could not move every agent says. */
import { expect, test } from "vitest";
import { AgentsStuckError } from "../src/movement/errors.ts";

test("a drain that could not move agents counts them, says why each stays, and names the command that lets the node take agents again", () => {
  const words = { name: "words", why: "no other node takes it" };
  const one = new AgentsStuckError("n1", [words]);
  expect(one.message).toMatch(/^1 agent could not be moved away: words/);
  expect(one.details).toEqual({ node: "n1", stuck: [words] });
  expect(one.fix).toContain("glia node undrain");
  const two = new AgentsStuckError("n1", [words, { name: "sums", why: "it does not answer" }]);
  expect(two.message).toMatch(/^2 agents could not be moved away: words, sums/);
});
