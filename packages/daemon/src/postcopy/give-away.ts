/**
 * An agent that this node owns and cannot run, because the rest of it did not come: one of its replicas takes it over (docs/spec/replica.md, RH6).
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { Logger } from "@glia-os/abi/ports";
import { type Mesh, REPLICA_METHODS, readTaken, takeBody } from "@glia-os/mesh-core";

/** How long the replica may take to answer, in milliseconds. */
const TAKE_MS = 30_000;
const RESEND_MS = 500;
/** Attempts while the replica's session ends between its answer and the swap. */
const ATTEMPTS = 3;

/** Whether a replica took it. Never rejects. */
export async function giveAway(mesh: Mesh, agent: AgentId, epoch: Epoch, logger: Logger): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      const given = await give(mesh, agent, epoch, attempt);
      if (given) logger.log("warn", "an agent that was lost on its way was given to its replica", { agent });
      return given;
    } catch (error) {
      const code = errorCodeOf(error);
      if (code === "store.session-expired" && attempt < ATTEMPTS) continue;
      logger.log("error", "the replica of an agent that was lost on its way does not take it", {
        agent,
        code,
      });
      return false;
    }
  }
}

async function give(mesh: Mesh, agent: AgentId, epoch: Epoch, attempt: number): Promise<boolean> {
  const { coordination, self } = mesh;
  const row = await coordination.getAgent(agent);
  if (row?.owner !== self || row.epoch !== epoch || row.replicas === undefined) return false;
  const { node, sessionId } = await firstTaken(mesh, row.replicas, takeBody({ agent, epoch }));
  const status = row.status === "suspended" ? "suspended" : "running";
  const replicas = row.replicas.filter((replica) => replica !== node);
  const change = { owner: node, sessionId, status, replicas } as const;
  const outcome = await coordination.compareAndSwap(
    agent,
    epoch,
    change,
    `give/${agent}/${epoch}/${attempt}`,
  );
  return outcome.kind === "committed" || (outcome.kind === "conflict" && outcome.row.owner === node);
}

/** The first replica that takes it, those that look alive first, and the session under which it will have the agent. */
async function firstTaken(
  mesh: Mesh,
  replicas: readonly NodeId[],
  body: Uint8Array,
): Promise<{ readonly node: NodeId; readonly sessionId: string }> {
  const options = { timeoutMs: TAKE_MS, resendMs: RESEND_MS };
  const alive = new Set(mesh.members().flatMap(({ node, state }) => (state === "alive" ? [node] : [])));
  let refused: unknown;
  for (const node of replicas.toSorted((a, b) => Number(alive.has(b)) - Number(alive.has(a)))) {
    try {
      const answer = await mesh.call(node, REPLICA_METHODS.take, body, options);
      return { node, sessionId: readTaken(answer) };
    } catch (error) {
      refused = error;
    }
  }
  throw refused;
}
