/** `glia mesh join`: enter a cluster with a join line. */
import type { Context } from "../context.ts";
import type { ExitCode } from "../exit-code.ts";
import { type MovementOptions, movementSettings } from "../movement/movement-options.ts";
import { checkNodeName, dataDirOf, defaultNodeName } from "../node/data-dir.ts";
import { parseHostPort } from "../node/host-port.ts";
import { type JobOptions, jobSettings } from "../node/job-settings.ts";
import { readJoinLine } from "../node/join-line.ts";
import { type MeshOptions, meshSettings } from "../node/mesh-settings.ts";
import { type MetricsOptions, metricsAddress } from "../node/metrics-address.ts";
import { type OfferOptions, offeredServices } from "../node/offered-services.ts";
import { type ProgramOptions, programSettings } from "../node/program-settings.ts";
import type { ForegroundNode } from "../node/run-node.ts";

/** Its options. */
export interface MeshJoinOptions
  extends OfferOptions,
    MeshOptions,
    MetricsOptions,
    JobOptions,
    ProgramOptions,
    MovementOptions {
  readonly bind: string;
  readonly role: ForegroundNode["role"];
  readonly name?: string;
  readonly data?: string;
  readonly untilStdinCloses?: boolean;
  readonly temporary?: boolean;
}

/** Run it. */
export async function meshJoin(
  source: string,
  options: MeshJoinOptions,
  context: Context,
): Promise<ExitCode> {
  const name = checkNodeName(options.name ?? defaultNodeName(options.role));
  const bind = parseHostPort(options.bind);
  const line = await readJoinLine(source, context.stdin);
  const settings: ForegroundNode = {
    role: options.role,
    name,
    dataDir: dataDirOf(name, options.data),
    bind,
    start: { kind: "join", line },
    services: offeredServices(options),
    mesh: meshSettings(options),
    ...movementSettings(options),
    untilStdinCloses: options.untilStdinCloses === true,
    temporary: options.temporary === true,
  };
  const http = metricsAddress(options);
  const jobs = jobSettings(options);
  const programs = programSettings(options);
  const { runNode } = await import("../node/run-node.ts");
  return runNode(
    {
      ...settings,
      ...(http === undefined ? {} : { http }),
      ...(jobs === undefined ? {} : { jobs }),
      ...(programs === undefined ? {} : { programs }),
    },
    context.terminal,
    context.interrupt,
  );
}
