/** Where a node finds coordination: an engine of its own, which it serves as anchor, or calls to the cluster's anchor. */
import type { Coordination, Digests } from "@glia-os/abi/ports";
import type { Standing } from "../admission/standing.ts";
import type { Calls } from "../rpc/calls.ts";
import { AnchorClient } from "./client.ts";
import { AnchorServer } from "./server.ts";

/** What the choice depends on. */
export interface EngineOrAnchorOptions {
  readonly engine: Coordination | undefined;
  readonly standing: Standing;
  readonly calls: Calls;
  readonly digests: Digests;
  readonly timeoutMs: number | undefined;
}

/** The engine, served to others while the cluster record names this node; or a client of the anchor. */
export function engineOrAnchor(options: EngineOrAnchorOptions): Coordination {
  const { engine, standing, calls, digests, timeoutMs } = options;
  if (engine === undefined)
    return new AnchorClient({
      target: () => standing.known(),
      call: (node, method, body, callOptions) => calls.call(node, method, body, callOptions),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  const server = new AnchorServer(engine, digests, () => {
    const record = standing.clusterRecord();
    return record?.anchor === standing.self ? record : undefined;
  });
  for (const [method, handler] of server.methods()) calls.handle(method, handler);
  return engine;
}
