import { parseAgentId } from "@glia-os/abi/ids";
import { expect, test } from "vitest";
import { AgentFailures, FAILURES_MOST, TEXT_MOST } from "../src/agent-failures.ts";

const agent = (number: number): ReturnType<typeof parseAgentId> =>
  parseAgentId(number.toString(16).padStart(32, "0"));

test("AF1: the newest failures are kept, each up to a length", () => {
  const failures = new AgentFailures();
  for (let i = 0; i <= FAILURES_MOST; i++) failures.add(agent(i), `${i}`.padEnd(TEXT_MOST + 1));
  expect(failures.of(agent(0))).toBeUndefined();
  expect(failures.of(agent(1))).toHaveLength(TEXT_MOST);
  failures.add(agent(1), "again");
  failures.add(agent(999), "new");
  expect([failures.of(agent(1)), failures.of(agent(2))]).toEqual(["again", undefined]);
  failures.delete(agent(1));
  expect(failures.of(agent(1))).toBeUndefined();
});
