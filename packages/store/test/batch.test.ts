import { expect, it } from "vitest";
import { Batches, type Transaction } from "../src/batch.ts";
import { StoreFullError, WriteFailedError } from "../src/errors.ts";
import type { CoordinationRequest } from "../src/request.ts";
import type { CoordinationRules } from "../src/rules.ts";
import { agentNamed } from "../src/testing.ts";

const request: CoordinationRequest = { op: "get-agent", agent: agentNamed("1") };

class Disk implements Transaction {
  readonly calls: string[] = [];
  failing: "commit" | "rollback" | undefined;
  begin(): void {
    this.calls.push("begin");
  }
  commit(): void {
    this.calls.push("commit");
    if (this.failing === "commit") throw new RangeError("the flush failed");
  }
  rollback(): void {
    this.calls.push("rollback");
    if (this.failing === "rollback") throw new RangeError("the rollback failed");
  }
  failure(error: unknown): StoreFullError {
    return new StoreFullError((error as Error).message);
  }
}

function rulesThat(perform: () => null, disk: Disk): CoordinationRules {
  const rules: Pick<CoordinationRules, "perform" | "reconcile"> = {
    perform,
    reconcile: () => void disk.calls.push("reconcile"),
  };
  return rules as CoordinationRules;
}

it("G1: answers are there only after the commit", () => {
  const disk = new Disk();
  const perform = () => {
    disk.calls.push("perform");
    return null;
  };
  const batches = new Batches(rulesThat(perform, disk), disk);
  expect(batches.perform([request, request])).toEqual([{ reply: null }, { reply: null }]);
  expect(disk.calls).toEqual(["begin", "perform", "perform", "commit"]);
});

it("G2: a failing write refuses the whole batch and rolls it back; the next batch goes on", () => {
  const disk = new Disk();
  let full = true;
  const perform = () => {
    if (full) throw new RangeError("no room");
    return null;
  };
  const batches = new Batches(rulesThat(perform, disk), disk);
  const refused = new StoreFullError("no room").toRecord();
  expect(batches.perform([request, request])).toEqual([{ refused }, { refused }]);
  expect(disk.calls).toEqual(["begin", "rollback", "reconcile"]);
  full = false;
  expect(batches.perform([request])).toEqual([{ reply: null }]);
});

it("G3: after a failed commit every request is refused as not known, without touching the disk again", () => {
  const disk = new Disk();
  disk.failing = "commit";
  const batches = new Batches(
    rulesThat(() => null, disk),
    disk,
  );
  const refused = new WriteFailedError("the database has no room: the flush failed").toRecord();
  expect(batches.perform([request])).toEqual([{ refused }]);
  disk.failing = undefined;
  expect(batches.perform([request])).toEqual([{ refused }]);
  expect(disk.calls).toEqual(["begin", "commit"]);
});

it("G3: after a failed rollback every request is refused", () => {
  const disk = new Disk();
  disk.failing = "rollback";
  const perform = () => {
    throw new RangeError("no room");
  };
  const batches = new Batches(rulesThat(perform, disk), disk);
  batches.perform([request]);
  const refused = new WriteFailedError("the rollback failed").toRecord();
  expect(batches.perform([request])).toEqual([{ refused }]);
  expect(disk.calls).toEqual(["begin", "rollback"]);
});
