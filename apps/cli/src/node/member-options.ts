/** The options of a node in the foreground that `mesh start` and `mesh join` share, and what they stand for. */
import { type MovementOptions, movementSettings } from "../movement/movement-options.ts";
import { checkNodeName, dataDirOf, defaultNodeName } from "./data-dir.ts";
import { parseHostPort } from "./host-port.ts";
import { type JobOptions, jobSettings } from "./job-settings.ts";
import { type MeshOptions, meshSettings } from "./mesh-settings.ts";
import { type MetricsOptions, metricsAddress } from "./metrics-address.ts";
import { type OfferOptions, offeredServices } from "./offered-services.ts";
import { type ProgramOptions, programSettings } from "./program-settings.ts";
import type { ForegroundNode } from "./run-node.ts";

/** As typed. */
export interface MemberOptions
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

/** All of a node but how it comes to its mesh. @throws {UsageError} for what is none */
export function memberSettings(options: MemberOptions): Omit<ForegroundNode, "start" | "joinLine"> {
  const name = checkNodeName(options.name ?? defaultNodeName(options.role));
  const http = metricsAddress(options);
  const jobs = jobSettings(options);
  const programs = programSettings(options);
  return {
    role: options.role,
    name,
    dataDir: dataDirOf(name, options.data),
    bind: parseHostPort(options.bind),
    services: offeredServices(options),
    mesh: meshSettings(options),
    ...movementSettings(options),
    untilStdinCloses: options.untilStdinCloses === true,
    temporary: options.temporary === true,
    ...(http === undefined ? {} : { http }),
    ...(jobs === undefined ? {} : { jobs }),
    ...(programs === undefined ? {} : { programs }),
  };
}
