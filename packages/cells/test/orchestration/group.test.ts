/** Groups as data: who is in them, who leads, and the states they go through. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createGroup,
  GROUP_MAX,
  type Group,
  type GroupState,
  join,
  leadersOf,
  leave,
  observe,
  roleOf,
  step,
  viewOf,
  votersOf,
} from "../../src/orchestration/index.ts";
import { codeOf, idOf, refOf } from "./ids.ts";

const groupOf = (count: number, leaders = 1): Group =>
  createGroup(
    "crew",
    Array.from({ length: count }, (_, n) => refOf(n)),
    { leaders },
  );
const states: readonly GroupState[] = ["active", "paused", "dissolving", "dissolved"];

describe("a group", () => {
  it("GR1: goes from active to paused and back, to dissolving and to dissolved, and nowhere else", () => {
    const allowed = new Set([
      "active paused",
      "paused active",
      "active dissolving",
      "paused dissolving",
      "dissolving dissolved",
    ]);
    for (const from of states)
      for (const to of states) {
        const group = { ...groupOf(2), state: from };
        const went = codeOf(() => step(group, to)) === undefined;
        expect(went, `${from} to ${to}`).toBe(allowed.has(`${from} ${to}`));
        if (!went) expect(codeOf(() => step(group, to))).toBe("orchestration.group-state");
      }
    expect(step({ ...groupOf(2), state: "dissolving" }, "dissolved").members).toEqual([]);
  });

  it("GR1: nobody joins a group that dissolves, and it may still lose members until it has", () => {
    const dissolving = step(groupOf(2), "dissolving");
    expect(codeOf(() => join(dissolving, refOf(5)))).toBe("orchestration.group-state");
    expect(codeOf(() => observe(dissolving, refOf(5)))).toBe("orchestration.group-state");
    expect(leave(dissolving, refOf(0)).members).toHaveLength(1);
    expect(codeOf(() => leave(step(dissolving, "dissolved"), refOf(0)))).toBe("orchestration.group-state");
    expect(codeOf(() => votersOf(step(groupOf(2), "paused")))).toBe("orchestration.group-state");
  });

  it("GR2: an agent is in it once, and every change is another version", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom("join", "observe", "leave"), fc.nat(6)), { maxLength: 40 }),
        (steps) => {
          let group = groupOf(3);
          for (const [what, n] of steps) {
            const before = group;
            const there = roleOf(group, refOf(n)) !== "stranger";
            if (what === "join") group = join(group, refOf(n));
            else if (what === "observe") group = observe(group, refOf(n));
            else if (there) group = leave(group, refOf(n));
            else expect(codeOf(() => leave(group, refOf(n)))).toBe("orchestration.unknown-member");
            const ids = [...group.members, ...group.observers].map(({ id }) => id);
            expect(new Set(ids).size).toBe(ids.length);
            expect(group.version - before.version).toBe(group === before ? 0 : 1);
            expect(group.members.map(({ id }) => id)).toEqual(group.members.map(({ id }) => id).toSorted());
          }
        },
      ),
    );
  });

  it("GR3: names 1 to 3 leaders, the same for everybody with the version, and observers never lead", () => {
    const group = observe(groupOf(6, 3), refOf(2));
    const leaders = leadersOf(group).map(({ id }) => id);
    expect(leaders).toHaveLength(3);
    expect(leaders).not.toContain(idOf(2));
    expect(leadersOf({ ...group, members: group.members.toReversed() }).map(({ id }) => id)).toEqual(leaders);
    expect(leadersOf(groupOf(0))).toEqual([]);
    expect(leadersOf(groupOf(2, 3))).toHaveLength(2);
  });

  it("GR3: only the leaving of its leader changes who leads", () => {
    const group = groupOf(12);
    const [leader] = leadersOf(group);
    for (const member of group.members) {
      const [now] = leadersOf(leave(group, member));
      expect(now?.id === leader?.id).toBe(member.id !== leader?.id);
    }
  });

  it("has at most 1,000 in it, and refuses rubbish", () => {
    const full = groupOf(GROUP_MAX);
    expect(codeOf(() => join(full, refOf(GROUP_MAX)))).toBe("orchestration.group-full");
    expect(codeOf(() => observe(full, refOf(GROUP_MAX)))).toBe("orchestration.group-full");
    expect(join(full, refOf(0))).toBe(full);
    expect(observe(full, refOf(0)).members).toHaveLength(GROUP_MAX - 1);
    for (const make of [
      () => createGroup(""),
      () => createGroup("crew", [], { leaders: 4 }),
      () => createGroup("crew", [{ id: "nobody" }]),
      () => observe(groupOf(1), { id: "" }),
    ])
      expect(codeOf(make)).toBe("orchestration.bad-option");
    expect(viewOf(groupOf(2))).toEqual({ version: 1, members: [idOf(0), idOf(1)] });
  });
});
