/** What rows a group of requests may read. */
import type { CoordinationRequest } from "../request.ts";

/** Keys by table. */
export interface Wanted {
  readonly sessions: string[];
  readonly nodes: string[];
  readonly agents: string[];
  readonly names: string[];
  readonly requestIds: string[];
}

/** The keys of all requests of a group. */
export function wantedBy(requests: readonly CoordinationRequest[]): Wanted {
  const wanted: Wanted = { sessions: [], nodes: [], agents: [], names: [], requestIds: [] };
  for (const request of requests) {
    if ("requestId" in request) wanted.requestIds.push(request.requestId);
    add(wanted, request);
  }
  return wanted;
}

function add(wanted: Wanted, request: CoordinationRequest): void {
  switch (request.op) {
    case "open-session":
      wanted.nodes.push(request.node);
      return;
    case "renew-session":
    case "close-session":
      wanted.sessions.push(request.sessionId);
      return;
    case "create-agent":
      wanted.sessions.push(request.row.sessionId);
      wanted.agents.push(request.row.agent);
      wanted.names.push(request.row.name);
      return;
    case "compare-and-swap":
      wanted.sessions.push(request.change.sessionId);
      wanted.agents.push(request.agent);
      return;
    case "take-over":
      wanted.sessions.push(request.change.sessionId, request.change.from);
      wanted.agents.push(request.agent);
      return;
    case "get-agent":
      wanted.agents.push(request.agent);
      return;
    case "find-agent":
      wanted.names.push(request.name);
      return;
  }
}

/** Requests that read many rows are performed alone, in a transaction that only reads. */
export function readsMany({ op }: CoordinationRequest): boolean {
  return op === "list-agents" || op === "changes-since";
}

/** Requests that change nothing. */
export function onlyReads(request: CoordinationRequest): boolean {
  return readsMany(request) || request.op === "get-agent" || request.op === "find-agent";
}
