/**
 * Members of replicated journals that reach each other by calls of a mesh (docs/spec/journal-replica.md, "Over a mesh").
 *
 * RC1. A node says who it is by its session, not by what it sends: the member is told the caller that the mesh proved.
 * RC2. A message longer than a call may be goes in parts of {@link PART_BYTES}; none is longer than {@link LONGEST_BYTES}. Requests that are
 *      long, or that a long reply may follow, go to one node at most {@link LONG_AT_ONCE} at a time: as many as it holds.
 * RC3. Every call ends in bounded time; one without an answer may have been performed, as {@link ReplicaPort} says.
 */
import { MalformedError } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import { SEGMENT_BYTES_MOST } from "../journal/limits.ts";
import { ReplicaForeignError } from "./errors.ts";
import { joinedParts, LONG_AT_ONCE, LongMessages, partsOf } from "./long-messages.ts";
import type { ReplicaMember } from "./member.ts";
import type { ReplicaPort, ReplicaReply, ReplicaRequest } from "./protocol.ts";
import { Turns } from "./turns.ts";
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from "./wire.ts";

/** What is needed of a mesh; `Mesh` of `@glia-os/mesh-core` has it. */
export interface ReplicaCalls {
  /** Call a method of a node; rejects in bounded time when there is no answer. */
  call(
    node: NodeId,
    method: string,
    body: Uint8Array,
    options: { readonly timeoutMs: number; readonly trafficClass: "request" | "bulk" },
  ): Promise<Uint8Array>;
  /** Answer a method. `node` is who calls, proven. */
  handle(
    method: string,
    answer: (caller: { readonly node: NodeId }, body: Uint8Array) => Promise<Uint8Array>,
  ): void;
}

/** How members are reached. */
export interface ReplicaOverCallsOptions {
  /** Most time one call may take, 1 to 600,000 ms. Default 5,000. A long message takes several. */
  readonly timeoutMs?: number;
}

/** The method of the calls. */
export const REPLICA_METHOD = "store.replica";
/** Longest part of a message: half of what a message of the mesh may have. */
export const PART_BYTES: number = 8 * 2 ** 20;
/** Longest message: the largest segment, and room for what is around it. */
export const LONGEST_BYTES: number = SEGMENT_BYTES_MOST + 2 ** 20;
/** What is longer goes as bulk, so that it keeps nothing else waiting. */
const BULK_BYTES = 65_536;
const TIMEOUT_MS = 5_000;

/** The members of other nodes, reached by calls. */
export function replicaOverCalls(
  calls: ReplicaCalls,
  { timeoutMs = TIMEOUT_MS }: ReplicaOverCallsOptions = {},
): ReplicaPort {
  let messages = 0;
  const turns = new Turns<NodeId>(LONG_AT_ONCE);
  const said = (to: NodeId, body: Uint8Array): Promise<Uint8Array> =>
    calls.call(to, REPLICA_METHOD, body, {
      timeoutMs,
      trafficClass: body.length > BULK_BYTES ? "bulk" : "request",
    });
  const exchange = async (
    to: NodeId,
    request: ReplicaRequest,
    message: Uint8Array,
  ): Promise<ReplicaReply> => {
    messages = (messages + 1) >>> 0;
    let answer: Uint8Array = new Uint8Array();
    for (const part of partsOf(message, messages, PART_BYTES)) answer = await said(to, part);
    return decodeReply(request, await joinedParts(answer, LONGEST_BYTES, (wish) => said(to, wish)));
  };
  return {
    async call(to, request) {
      const message = encodeRequest(request);
      const long = message.length >= PART_BYTES || readsMuch(request);
      return long ? turns.take(to, () => exchange(to, request, message)) : exchange(to, request, message);
    },
  };
}

/** Whether the reply may be long. */
function readsMuch(request: ReplicaRequest): boolean {
  const requests =
    request.kind === "perform" ? request.requests : request.kind === "copy" ? [request.request] : [];
  return requests.some(
    ({ op }) => op === "read" || op === "readSegment" || op === "domains" || op === "segments",
  );
}

/**
 * Let the members of this node answer those who lead their groups. At most once per mesh.
 * @throws what `handle` throws where the method has a handler already
 */
export function answerReplicaCalls(calls: ReplicaCalls, members: readonly ReplicaMember[]): void {
  const byGroup = new Map(members.map((member) => [member.group, member]));
  if (byGroup.size < members.length) throw new MalformedError("members", "two are of one group");
  const long = new LongMessages(PART_BYTES, LONGEST_BYTES);
  calls.handle(REPLICA_METHOD, async ({ node }, body) => {
    const whole = long.taken(node, body);
    if (whole === undefined) return new Uint8Array();
    if (whole.kind === "part") return whole.bytes;
    const request = decodeRequest(whole.bytes);
    return long.given(node, encodeReply(request, await answerOf(byGroup, node, request)));
  });
}

async function answerOf(
  members: ReadonlyMap<string, ReplicaMember>,
  from: NodeId,
  request: ReplicaRequest,
): Promise<ReplicaReply> {
  const member = members.get(request.group);
  if (member !== undefined) return member.handle(from, request);
  const foreign = new ReplicaForeignError(request.group.slice(0, 64), "this node has no member of it");
  return { kind: "refused", refused: foreign.toRecord() };
}
