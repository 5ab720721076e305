/**
 * An agent that this node owns and cannot run, because the rest of it did not come: its replica takes it over (docs/spec/replica.md, RH6).
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId, Epoch } from "@glia-os/abi/ids";
import type { Logger } from "@glia-os/abi/ports";
import { type Mesh, REPLICA_METHODS, takeBody } from "@glia-os/mesh-core";

/** How long the replica may take, in milliseconds. */
const TAKE_MS = 30_000;
const RESEND_MS = 500;

/** Whether a replica took it. Never rejects. */
export async function giveAway(mesh: Mesh, agent: AgentId, epoch: Epoch, logger: Logger): Promise<boolean> {
  try {
    const row = await mesh.coordination.getAgent(agent);
    if (row?.owner !== mesh.self || row.epoch !== epoch || row.replica === undefined) return false;
    const options = { timeoutMs: TAKE_MS, resendMs: RESEND_MS };
    await mesh.call(row.replica, REPLICA_METHODS.take, takeBody({ agent, epoch }), options);
    logger.log("warn", "an agent that was lost on its way was given to its replica", { agent });
    return true;
  } catch (error) {
    logger.log("error", "the replica of an agent that was lost on its way does not take it", {
      agent,
      code: errorCodeOf(error),
    });
    return false;
  }
}
