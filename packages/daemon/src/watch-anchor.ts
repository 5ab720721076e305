/** Tells the main thread when the anchor of a node's mesh is lost, and when it is back. */
import type { Logger, Timers } from "@glia-os/abi/ports";
import type { Mesh } from "@glia-os/mesh-core";
import { AnchorWatch } from "./anchor-watch.ts";
import { AnchorLostError } from "./errors.ts";
import type { MainService } from "./main-service.ts";
import type { NodeService } from "./node-service.ts";
import type { ThreadLink } from "./thread-call.ts";

/** What telling takes. */
export interface WatchAnchorParts {
  readonly mesh: Mesh;
  readonly service: NodeService;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly main: ThreadLink<MainService>;
  /** A client cannot go on without the anchor. */
  readonly isClient: boolean;
}

/** Begin; the result ends it. */
export function watchAnchor({ mesh, service, timers, logger, main, isClient }: WatchAnchorParts): () => void {
  const anchorName = (): string =>
    mesh.members().find(({ node }) => node === mesh.anchor)?.name ?? mesh.anchor.slice(0, 12);
  const watch = new AnchorWatch({
    timers,
    ping: (timeoutMs) => service.pingAnchor(timeoutMs),
    heardMs: () => mesh.heardMs(mesh.anchor),
    lost: (why) => {
      main.tell.event({ kind: "anchor", change: "lost", why });
      logger.log("error", "the anchor is gone", { why });
      if (isClient) main.tell.fatal(new AnchorLostError(anchorName(), why).toRecord());
    },
    back: () => {
      main.tell.event({ kind: "anchor", change: "back", why: "it answers again" });
      logger.log("info", "the anchor is back");
    },
  });
  return () => watch.stop();
}
