/** What the main thread hands to the other two when it starts them: plain data and ports. */

import type { MessagePort } from "node:worker_threads";
import type { HostPort } from "@glia-os/abi/ports";
import type { NodeServices } from "./agent-services.ts";
import type { Membership } from "./data-folder.ts";
import type { ProgramSettings } from "./domain/program-settings.ts";
import type { MeshSettings } from "./mesh-settings.ts";
import type { MovementSettings } from "./movement/movement-settings.ts";
import type { JobSettings } from "./node-jobs.ts";
import type { NodeRole } from "./node-views.ts";
import type { TraceSettings } from "./otel/otlp-tracer.ts";

/** How a node comes to its cluster. */
export type NodeStart =
  | { readonly kind: "new-cluster" }
  | { readonly kind: "join"; readonly line: string }
  /** Come back with what the data folder holds. */
  | { readonly kind: "resume" };

/** For the mesh thread. */
export interface MeshThreadSetup {
  readonly dataDir: string;
  readonly name: string;
  readonly role: NodeRole;
  readonly bind: HostPort | undefined;
  readonly start: NodeStart;
  readonly mesh: MeshSettings;
  readonly jobs: JobSettings | undefined;
  readonly movement: MovementSettings;
  readonly traces: TraceSettings | undefined;
  /** From the data folder: certificate, cluster record, contacts. */
  readonly membership: Membership | undefined;
  readonly bootEpoch: number;
  /** To the main thread. */
  readonly mainPort: MessagePort;
  /** To the agent thread; absent on a client. */
  readonly agentPort: MessagePort | undefined;
  /** Counted by the agents' thread; absent on a client. */
  readonly agentProgress: SharedArrayBuffer | undefined;
}

/** For the agent thread. */
export interface AgentThreadSetup {
  /** To the mesh thread. */
  readonly meshPort: MessagePort;
  /** To the main thread. */
  readonly mainPort: MessagePort;
  /** Where the thread announces which guest runs. */
  readonly heartbeat: SharedArrayBuffer;
  /** Where the thread counts that it gets on. */
  readonly progress: SharedArrayBuffer;
  /** How long a guest may run without a blocking call, in milliseconds. */
  readonly stepMs: number;
  /** What agents may be given. */
  readonly services: NodeServices;
  readonly dataDir: string;
  /** The program of the thread of a guest whose pages are on their way. Default: the one beside this program. */
  readonly guestWorker: URL | undefined;
  /** Which programs run outside the sandbox; none when undefined. */
  readonly programs: ProgramSettings | undefined;
}
