/** Where copies of one agent go. */
import type { NodeId } from "@glia-os/abi/ids";
import { expect, test } from "vitest";
import { spread } from "../../src/replica/spread.ts";

const on = (node: NodeId): string | undefined => (node.startsWith("?") ? undefined : node.slice(0, 1));
const chosen = (nodes: string[], taken: string[]): readonly string[] =>
  spread(nodes as NodeId[], taken as NodeId[], on);

test("SP1: nodes on machines that have no copy come first, in the order given, and nobody is left out", () => {
  expect(chosen(["a2", "b1", "a3", "b2", "c1"], ["a1"])).toEqual(["b1", "c1", "a2", "a3", "b2"]);
  expect(chosen(["a2", "a3"], ["a1"])).toEqual(["a2", "a3"]);
  expect(chosen(["?1", "?2", "a2"], ["a1"]), "one that is not known is on its own").toEqual([
    "?1",
    "?2",
    "a2",
  ]);
  expect(chosen([], ["a1"])).toEqual([]);
});
