/**
 * A child of a durable agent, made once however often that is asked for.
 *
 * CO1. Its id follows from who asks and from the number of the asking, on the node that makes it: so a node that asks again after a crash finds the row that it made,
 *      and starts the child only if it never ran.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId } from "@glia-os/abi/ids";
import type { AgentRow } from "@glia-os/abi/ports";
import type { CellGate } from "@glia-os/cells";
import type { Mesh } from "@glia-os/mesh-core";

const NONCE_BYTES = 16;

/** The nonce of the id of a child (CO1). */
export function nonceOf(key: string, sha256: (data: Uint8Array) => Uint8Array): Uint8Array {
  return sha256(new TextEncoder().encode(`glia/durable-child/v1\0${key}`)).subarray(0, NONCE_BYTES);
}

/** The row that an earlier asking made, and whether nothing is left to do for it. */
export async function madeBefore(
  agent: AgentId,
  { self, coordination }: Pick<Mesh, "self" | "coordination">,
  gate: Pick<CellGate, "stands">,
): Promise<{ readonly row: AgentRow; readonly runs: boolean } | undefined> {
  const row = await coordination.getAgent(agent);
  if (row === undefined) return undefined;
  const isElsewhere = row.owner !== self || row.status !== "running";
  return { row, runs: isElsewhere || gate.stands(agent) !== undefined };
}

/** Whether a start was refused because the child runs. */
export function runsAlready(error: unknown): boolean {
  return errorCodeOf(error) === "cells.already-here";
}
