/** How a node is asked to start, checked. */
import type { HostPort, Logger } from "@glia-os/abi/ports";
import { checkServices, type NodeServices } from "./agent-services.ts";
import { checkProgramSettings, type ProgramSettings } from "./domain/program-settings.ts";
import { BadOptionsError } from "./errors.ts";
import { checkMeshSettings, type MeshSettings } from "./mesh-settings.ts";
import { checkMovementSettings, type MovementSettings } from "./movement/movement-settings.ts";
import type { NodeEvent } from "./node-event.ts";
import { checkJobSettings, type JobSettings } from "./node-jobs.ts";
import type { NodeRole } from "./node-views.ts";
import { checkTraceSettings, type TraceSettings } from "./otel/otlp-tracer.ts";
import type { NodeStart } from "./thread-setup.ts";

/** How to start a node. */
export interface NodeOptions {
  /** Where the node keeps its key and membership; made if it is not there. */
  readonly dataDir: string;
  /** 1 to 32 of a-z 0-9 - . _ ; for people. Default: the role. */
  readonly name?: string;
  readonly role: NodeRole;
  /** Where to listen; a `client` does not. */
  readonly bind?: HostPort;
  readonly start: NodeStart;
  /** How the mesh is set. */
  readonly mesh?: MeshSettings;
  /** Told what happens on this node and in its mesh. Must not throw. */
  readonly onEvent?: (event: NodeEvent) => void;
  /** Where log lines go. Default: nowhere. */
  readonly logger?: Logger;
  /** How long a guest may run without a blocking call before its node fails, in milliseconds: 100 to 600,000. Default: 10,000. */
  readonly stepMs?: number;
  /** What agents may be given of the world outside, by the grants `service/http` and `service/files`. Default: nothing. */
  readonly services?: NodeServices;
  /**
   * Programs that agents may run outside the sandbox, in this process, as durable agents (docs/durable-agents.md): whatever is uploaded, or the modules of
   * a folder. Default: none; a client has none.
   */
  readonly programs?: ProgramSettings;
  /** The jobs it runs, shared with nodes that have the same module. Default: none; a client has none. */
  readonly jobs?: JobSettings;
  /** How it moves agents by itself: policies for battery, heat, load and balance. Default: never. */
  readonly movement?: MovementSettings;
  /** Where its traces go. Default: nowhere. */
  readonly traces?: TraceSettings;
  /** Where the threads' programs are; only a bundler that moved them needs it. */
  readonly workers?: { readonly mesh: URL; readonly agent: URL; readonly guest?: URL };
}

const ROLES: readonly NodeRole[] = ["edge", "relay", "core", "client"];
const NAME = /^[a-z0-9._-]{1,32}$/;

function checkBind(bind: HostPort | undefined, role: NodeRole): void {
  if (role === "client") {
    if (bind !== undefined) throw new BadOptionsError("A client does not listen; leave out `bind`");
    return;
  }
  if (bind === undefined) throw new BadOptionsError(`A node with role ${role} needs an address to listen at`);
  const { host, port } = bind;
  if (typeof host !== "string" || host === "")
    throw new BadOptionsError("The address to listen at names no host");
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new BadOptionsError(`${port} is not a port from 0 to 65535`);
}

/** The name a node goes by. @throws {BadOptionsError} for options that no node can start with, and what its services refuse. */
export function checkNodeOptions(options: NodeOptions): string {
  const { dataDir, name, role, bind, start, stepMs, services, jobs, traces, mesh = {} } = options;
  if (typeof dataDir !== "string" || dataDir === "") throw new BadOptionsError("`dataDir` is empty");
  if (!ROLES.includes(role))
    throw new BadOptionsError(`${JSON.stringify(role)} is not a role: ${ROLES.join(", ")}`);
  if (role === "client" && start.kind === "new-cluster")
    throw new BadOptionsError("A client cannot found a cluster");
  const own = name ?? role;
  if (!NAME.test(own))
    throw new BadOptionsError(`The name ${JSON.stringify(own)} is not 1 to 32 of a-z 0-9 - . _`);
  if (stepMs !== undefined && (!Number.isInteger(stepMs) || stepMs < 100 || stepMs > 600_000))
    throw new BadOptionsError(
      `The step limit ${stepMs} is not a whole number of milliseconds from 100 to 600000`,
    );
  checkBind(bind, role);
  checkMeshSettings(mesh);
  checkMovementSettings(options.movement ?? {});
  if (services !== undefined) checkServices(services);
  if (options.programs !== undefined) checkProgramSettings(options.programs);
  if (jobs !== undefined && role === "client") throw new BadOptionsError("A client runs no jobs");
  if (jobs !== undefined) checkJobSettings(jobs);
  if (traces !== undefined) checkTraceSettings(traces);
  return own;
}
