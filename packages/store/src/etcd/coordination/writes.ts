/** What a group of requests wrote to its slice, as operations of one transaction. */
import type { CoordinationSlice } from "../../engine/coordination-slice.ts";
import type { CoordinationLimits } from "../../limits.ts";
import { nodeOfSession } from "../../request.ts";
import type { Operation } from "../txn.ts";
import { type CoordinationKeys, LAYOUT_FORMAT } from "./layout.ts";

/** Changes grow past their limit by at most one part in this many before the oldest go. */
const DROP_SHARE = 64;

/** The operations, the counters first; none when nothing was written. No key is written twice. */
export function writesOf(
  { counters, written }: CoordinationSlice,
  keys: CoordinationKeys,
  limits: CoordinationLimits,
): readonly Operation[] {
  const values = new Map<string, object | undefined>();
  for (const sessionId of written.droppedSessions)
    values.set(keys.session(nodeOfSession(sessionId)), undefined);
  for (const session of written.sessions.values()) values.set(keys.session(session.node), session);
  const agents = [...written.agents.values()];
  // A name that ends is free before another agent of the same group takes it.
  for (const { name, status } of written.changes)
    if (status === "terminated") values.set(keys.name(name), undefined);
  for (const row of agents) {
    values.set(keys.agent(row.agent), row);
    if (row.status !== "terminated") values.set(keys.name(row.name), row);
  }
  const oldest = counters.revision - limits.changes + 1;
  for (const row of written.changes) if (row.revision >= oldest) values.set(keys.change(row.revision), row);
  for (const { requestId, ...kept } of written.requests) {
    values.set(keys.outcome(requestId), kept);
    values.set(keys.order(kept.seq), { requestId });
  }
  if (values.size === 0) return [];
  const operations: Operation[] = [put(keys.counters, { format: LAYOUT_FORMAT, ...counters })];
  for (const [key, value] of values)
    operations.push(value === undefined ? { op: "delete", key } : put(key, value));
  const step = Math.max(1, Math.floor(limits.changes / DROP_SHARE));
  const crossed =
    Math.floor(counters.revision / step) > Math.floor((counters.revision - written.changes.length) / step);
  if (crossed && oldest > 1) operations.push({ op: "delete", key: keys.change(0), end: keys.change(oldest) });
  return operations;
}

function put(key: string, value: object): Operation {
  return { op: "put", key, value: JSON.stringify(value) };
}
