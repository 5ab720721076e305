/**
 * `glia up`: a node as its configuration says, until it is told to stop.
 *
 * UP1. The first start founds a mesh or joins one; every later start takes up what the data folder holds, with the same command.
 * UP2. Options stand above the environment, the environment above the file. A start with any problem in them changes nothing.
 * UP3. SIGTERM and the first Ctrl-C stop it in order, within the time of `shutdown.timeoutMs`; the second ends it at once.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { NodeApi, NodeStart } from "@glia-os/daemon";
import { checkConfig, type GliaConfig } from "@glia-os/daemon/config";
import { findConfig, readConfig } from "../config/read-config.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../exit-code.ts";
import { dataDirOf, machineName } from "../node/data-dir.ts";
import { parseHostPort } from "../node/host-port.ts";
import { readJoinLine } from "../node/join-line.ts";
import { meshSettings } from "../node/mesh-settings.ts";
import { type Attendance, type ForegroundNode, runNode } from "../node/run-node.ts";
import { rememberedStart, sameAddress } from "./remembered-start.ts";
import { UpAttendance } from "./up-attendance.ts";
import { UpLog } from "./up-log.ts";

/** Its options. */
export interface UpOptions {
  readonly config?: string;
  readonly name?: string;
  readonly role?: "edge" | "relay" | "core";
  readonly data?: string;
  readonly bind?: string;
  readonly join?: string;
  readonly http?: string;
  readonly logFormat?: "pretty" | "json";
  readonly logLevel?: "debug" | "info" | "warn" | "error";
  readonly untilStdinCloses?: boolean;
}

/** Where the first node of a mesh listens, unless it is told where. */
const FOUNDER_BIND = "127.0.0.1:7400";
const MEMBER_BIND = "127.0.0.1:0";

/** Run it. */
export async function up(options: UpOptions, { terminal, interrupt, stdin }: Context): Promise<ExitCode> {
  const file = findConfig(options.config ?? process.env["GLIA_CONFIG"]);
  const read = async (): Promise<GliaConfig> =>
    underOptions((await readConfig(file, process.env)).config, options);
  const config = await read();
  const log = new UpLog(terminal, logOf(config));
  if (file === undefined)
    log.log("info", "no configuration file in this folder, so defaults hold; `glia config init` writes one", {
      folder: process.cwd(),
    });
  const attendance = new UpAttendance({ file, config, log, terminal, read });
  const place = await placeOf(config, () => joinLineOf(config, options, stdin));
  const settings: ForegroundNode = {
    ...place,
    services: servicesOf(config),
    mesh: meshSettings(config.mesh ?? {}),
    ...(config.jobs === undefined ? {} : { jobs: config.jobs }),
    ...(config.traces === undefined ? {} : { traces: config.traces }),
    ...programsOf(config),
    movement: config.movement ?? {},
    logger: log,
    stopLimitMs: () => attendance.stopMs,
    onEvent: (event) => attendance.event(event),
    attend: async (node: NodeApi): Promise<Attendance> => {
      await attendance.begin(node, place.dataDir);
      return attendance;
    },
    untilStdinCloses: options.untilStdinCloses === true,
    temporary: false,
  };
  return runNode(settings, terminal, interrupt);
}

/** How the log looks. */
export function logOf({ log }: GliaConfig): {
  format: "pretty" | "json";
  level: "debug" | "info" | "warn" | "error";
} {
  return { format: log?.format ?? "pretty", level: log?.level ?? "info" };
}

/** (UP2) */
function underOptions(config: GliaConfig, options: UpOptions): GliaConfig {
  const { name, role, data, bind, http, logFormat, logLevel } = options;
  const given = {
    ...(name === undefined ? {} : { name }),
    ...(role === undefined ? {} : { role }),
    ...(data === undefined ? {} : { data }),
    ...(bind === undefined ? {} : { bind }),
    ...(http === undefined ? {} : { http: { bind: http } }),
    ...(logFormat === undefined && logLevel === undefined
      ? {}
      : {
          log: {
            ...config.log,
            ...(logFormat === undefined ? {} : { format: logFormat }),
            ...(logLevel === undefined ? {} : { level: logLevel }),
          },
        }),
  };
  return { ...config, ...checkConfig(given, "The command line").config };
}

type Place = Pick<ForegroundNode, "role" | "name" | "dataDir" | "bind" | "start">;

/** Who the node is, and how it comes to its mesh (UP1). */
async function placeOf(config: GliaConfig, line: () => Promise<string | undefined>): Promise<Place> {
  const name = config.name ?? machineName();
  const dataDir = dataDirOf(name, config.data);
  const remembered = rememberedStart(dataDir);
  const resumes = existsSync(join(dataDir, "membership.json"));
  const joinLine = resumes ? undefined : await line();
  const founds = !resumes && joinLine === undefined;
  const start: NodeStart = resumes
    ? { kind: "resume" }
    : joinLine === undefined
      ? { kind: "new-cluster" }
      : { kind: "join", line: joinLine };
  const role = config.role ?? remembered?.role ?? (founds ? "core" : "edge");
  const bind = parseHostPort(config.bind ?? (founds ? FOUNDER_BIND : MEMBER_BIND));
  const last = resumes ? remembered?.port : undefined;
  return { name, dataDir, role, start, bind: await sameAddress(bind, last) };
}

async function joinLineOf(
  { join: how }: GliaConfig,
  { join: given }: UpOptions,
  stdin: NodeJS.ReadStream,
): Promise<string | undefined> {
  const source = given ?? how?.file ?? how?.line;
  return source === undefined ? undefined : readJoinLine(source, stdin);
}

function programsOf({ programs }: GliaConfig): Pick<ForegroundNode, "programs"> {
  if (programs?.folder !== undefined) return { programs: { folder: programs.folder } };
  return programs?.uploaded === true ? { programs: "uploaded" } : {};
}

function servicesOf({ services }: GliaConfig): NonNullable<ForegroundNode["services"]> {
  const { http, files } = services ?? {};
  return {
    ...(http === undefined ? {} : { http }),
    ...(files === undefined ? {} : { files: { folder: files.folder, writable: files.writable === true } }),
  };
}
