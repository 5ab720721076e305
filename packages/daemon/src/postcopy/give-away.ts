/**
 * An agent that this node owns and cannot run, because the rest of it did not come: its replica takes it over (docs/spec/replica.md, RH6).
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId, Epoch } from "@glia-os/abi/ids";
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
  if (row?.owner !== self || row.epoch !== epoch || row.replica === undefined) return false;
  const { replica } = row;
  const options = { timeoutMs: TAKE_MS, resendMs: RESEND_MS };
  const answer = await mesh.call(replica, REPLICA_METHODS.take, takeBody({ agent, epoch }), options);
  const status = row.status === "suspended" ? "suspended" : "running";
  const change = { owner: replica, sessionId: readTaken(answer), status } as const;
  const outcome = await coordination.compareAndSwap(
    agent,
    epoch,
    change,
    `give/${agent}/${epoch}/${attempt}`,
  );
  return outcome.kind === "committed" || (outcome.kind === "conflict" && outcome.row.owner === replica);
}
