import type { Handle, Sys } from "@glia-os/kernel";
import { asyncProgram, reactor, stop } from "@glia-os/kernel/face";
import { simulate } from "@glia-os/sim";
import { expect, test } from "vitest";
import { codeOf } from "./code-of.ts";

test("reactors run in a simulation; an async program is refused with a typed error", () => {
  const counting = reactor<{ sum: number }, number>({
    init: () => ({ sum: 0 }),
    handle(_, state, n) {
      state.sum += n;
      return n === 0 ? stop(state.sum) : undefined;
    },
  });
  const run = simulate(1, function* (sys: Sys) {
    const box: Handle<number> = sys.mailbox<number>();
    const task = sys.spawn(counting, { give: [box] });
    for (const n of [1, 2, 0]) yield* sys.send(box, n);
    return yield* sys.wait(task);
  });
  expect(run.exits.get("/0")).toEqual({ kind: "ok", value: { kind: "ok", value: 3 } });
  const refused = codeOf(() =>
    simulate(1, function* (sys: Sys) {
      yield* sys.wait(sys.spawn(asyncProgram(async (sys) => sys.sleep(1))));
    }),
  );
  expect(refused).toBe("kernel.needs-microtasks");
});
