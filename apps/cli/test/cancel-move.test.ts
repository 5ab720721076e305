/** Interrupting `glia agent migrate` (AG1). */
import { errorCodeOf } from "@glia-os/abi/errors";
import { MeshError } from "@glia-os/abi/errors/mesh";
import type { MigrationReport } from "@glia-os/daemon";
import { describe, expect, it } from "vitest";
import { InterruptedError } from "../src/errors.ts";
import { unlessCancelled } from "../src/movement/agent-migrate.ts";

const REPORT = { strategy: "pre-copy" } as MigrationReport;
const terminal = { note: () => undefined } as never;

function interruptedMove(outcome: "rolled back" | "committed"): {
  readonly asked: () => number;
  readonly result: Promise<MigrationReport>;
  interrupt(): void;
} {
  const controller = new AbortController();
  const moving = Promise.withResolvers<MigrationReport>();
  let asked = 0;
  const node = {
    // The first time the move was asked for and has not begun.
    cancelMigration: async () => {
      if (++asked === 1) throw new MeshError("mesh.no-migration", "not yet");
      if (outcome === "committed") moving.resolve(REPORT);
      else moving.reject(new MeshError("mesh.migration-cancelled", "rolled back"));
      return { rolledBack: outcome === "rolled back" };
    },
  };
  const result = unlessCancelled(node, "agent", { interrupt: controller.signal, terminal }, moving.promise);
  return {
    asked: () => asked,
    result,
    interrupt: () => controller.abort(new InterruptedError("Ctrl-C")),
  };
}

describe("AG1: interrupting a move", () => {
  it("cancels it, also one that has not begun yet, and ends as interrupted once it is rolled back", async () => {
    const move = interruptedMove("rolled back");
    move.interrupt();
    expect(await move.result.catch(errorCodeOf)).toBe("cli.interrupted");
    expect(move.asked()).toBe(2);
  });

  it("that was committed meanwhile reports the move", async () => {
    const move = interruptedMove("committed");
    move.interrupt();
    expect(await move.result).toBe(REPORT);
  });

  it("that fails for another reason reports that reason", async () => {
    const moving = Promise.reject(new MeshError("mesh.not-hosted", "gone"));
    const node = { cancelMigration: async () => ({ rolledBack: true }) };
    const { signal: interrupt } = new AbortController();
    const result = unlessCancelled(node, "agent", { interrupt, terminal }, moving);
    expect(await result.catch(errorCodeOf)).toBe("mesh.not-hosted");
  });
});
