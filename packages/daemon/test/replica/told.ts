/** What the agents of `programs/clerk.ts` tell each other, and what is not as if nothing had ever happened to any node. */
import type { AgentSystem } from "@glia-os/cells/agent";
import { expect } from "vitest";

export const PATIENT = { timeoutMs: 120_000 };
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

/** What the book has been told, by message. */
export type Told = Readonly<Record<string, readonly Record<string, number>[] | undefined>>;

const field = (told: Told, message: string, name: string): unknown[] =>
  (told[message] ?? []).map((one) => one[name]);

async function toldOf(system: AgentSystem): Promise<Told> {
  return (await system.ask("book", "all", undefined, PATIENT)) as Told;
}

/** What the book has been told when it holds. */
export async function untilTold(system: AgentSystem, holds: (told: Told) => boolean): Promise<Told> {
  for (;;) {
    const told = await toldOf(system);
    if (holds(told)) return told;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Wait for all that follows from so many notes. */
export function untilDone(system: AgentSystem, notes: number): Promise<Told> {
  const counts: Readonly<Record<string, number>> = {
    line: notes,
    news: notes,
    doubled: Math.floor(notes / 4),
    rang: Math.floor(notes / 3),
    born: Math.min(2, Math.floor(notes / 7)),
  };
  return untilTold(system, (told) =>
    Object.entries(counts).every(([message, count]) => (told[message]?.length ?? 0) >= count),
  );
}

/** All of it was done once each, in order, by an agent that never forgot anything. */
export function checkTold(told: Told, notes: number): void {
  expect(field(told, "line", "n")).toEqual(upTo(notes));
  const after = field(told, "line", "after");
  expect(field(told, "line", "before")).toEqual([1, ...after.slice(0, -1)]);
  expect(field(told, "rang", "rings")).toEqual(upTo(Math.floor(notes / 3)));
  expect(field(told, "doubled", "doubled")).toEqual(upTo(Math.floor(notes / 4)));
  expect(field(told, "doubled", "twice")).toEqual(field(told, "doubled", "n").map((n) => 2 * (n as number)));
  expect(field(told, "born", "children")).toEqual(upTo(Math.min(2, Math.floor(notes / 7))));
  expect(told["news"]).toEqual(told["line"]);
}
