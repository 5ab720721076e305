/**
 * A node in the foreground: what `mesh start` and `mesh join` do.
 *
 * F1. It runs until Ctrl-C or SIGTERM (exit 0), until it cannot work any more (exit 1), or, with `untilStdinCloses`, until
 *     standard input ends: then no orphan outlives the program that started it, however that program died.
 * F2. With `untilStdinCloses`, Ctrl-C is left to that program: it decides in which order things stop.
 * F3. A node that does not stop within {@link STOP_LIMIT_MS} is ended.
 * F4. Asked over its control socket to stop, it leaves the mesh, answers, and ends (exit 0).
 * F5. Where HTTP is asked for and cannot be served, the node does not start.
 * F6. With `drainMs` it gives its agents away before it stops, as far as that goes in this time; what stays is named.
 * F7. What goes with a node ({@link Attendance}) is begun before the node says that it is ready, told first that it stops, and ended before it.
 */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import type { HostPort, LogFields, Logger, LogLevel } from "@glia-os/abi/ports";
import {
  createNode,
  type HttpServer,
  HttpToken,
  type JobSettings,
  type MeshSettings,
  type MovementSettings,
  type NodeApi,
  type NodeEvent,
  type NodeOptions,
  type NodeRole,
  type NodeServices,
  type ProgramSettings,
  serveControl,
  serveHttp,
  type TraceSettings,
} from "@glia-os/daemon";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { reportFailure } from "../failure.ts";
import { drainBeforeStop } from "../movement/drain-before-stop.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { rememberStart } from "../up/remembered-start.ts";
import { eventLine } from "./event-line.ts";
import { formatHostPort } from "./host-port.ts";
import type { EventRecord, ReadyRecord, StoppedRecord } from "./node-records.ts";
import { peakRss } from "./peak-rss.ts";

/** How long a node may take to leave the mesh and stop. */
export const STOP_LIMIT_MS = 5000;

/** What to run. */
export interface ForegroundNode {
  readonly role: Exclude<NodeRole, "client">;
  readonly name: string;
  readonly dataDir: string;
  readonly bind: HostPort;
  readonly start: NodeOptions["start"];
  /** How the join line it prints is limited; no join line without it. */
  readonly joinLine?: { readonly ttlMs: number; readonly uses: number };
  /** What its agents may be given. */
  readonly services?: NodeServices;
  readonly mesh?: MeshSettings;
  /** The jobs it runs; none without it. */
  readonly jobs?: JobSettings;
  /** The programs it runs outside the sandbox; none without it. */
  readonly programs?: ProgramSettings;
  /** Where its traces go; nowhere without it. */
  readonly traces?: TraceSettings;
  /** How it moves agents by itself. */
  readonly movement?: MovementSettings;
  /** When told to stop, it moves its agents away first, for at most this long. */
  readonly drainMs?: number;
  /** Where `/metrics` and its neighbours are served; nowhere without it. */
  readonly http?: HostPort;
  /** Where log lines go. Default: standard error, with `-v`. */
  readonly logger?: Logger;
  /** How long it may take to stop, in milliseconds. Default {@link STOP_LIMIT_MS}. */
  readonly stopLimitMs?: () => number;
  /** Begin what goes with the node, once it is a member (F7). */
  readonly attend?: (node: NodeApi) => Promise<Attendance>;
  /** Told of every event of the node. */
  readonly onEvent?: (event: NodeEvent) => void;
  readonly untilStdinCloses: boolean;
  /** Remove the data folder at the end, if it was made by this run. */
  readonly temporary: boolean;
}

/** What goes with a node while it runs. */
export interface Attendance {
  /** Where it is served over HTTP, and the file with the token. */
  readonly http: Pick<HttpServer, "address"> | undefined;
  /** The node stops, unless it failed: what has to be done while it is still a member. */
  leave(): Promise<void>;
  close(): Promise<void>;
}

/** Run a node until it is told to stop (F1 to F3). */
export async function runNode(
  settings: ForegroundNode,
  terminal: Terminal,
  interrupt: AbortSignal,
): Promise<ExitCode> {
  // Never remove a folder that was there before: it may be another node's.
  const remove = settings.temporary && !existsSync(settings.dataDir);
  const told = untilTold(settings.untilStdinCloses, interrupt);
  try {
    const creating = createNode({
      dataDir: settings.dataDir,
      name: settings.name,
      role: settings.role,
      bind: settings.bind,
      start: settings.start,
      services: settings.services ?? {},
      mesh: settings.mesh ?? {},
      movement: settings.movement ?? {},
      ...(settings.jobs === undefined ? {} : { jobs: settings.jobs }),
      ...(settings.programs === undefined ? {} : { programs: settings.programs }),
      ...(settings.traces === undefined ? {} : { traces: settings.traces }),
      logger: settings.logger ?? terminalLogger(terminal),
      onEvent: (event) => {
        showEvent(terminal, event);
        settings.onEvent?.(event);
      },
    });
    const toldEarly = await Promise.race([creating.then(() => undefined), told]);
    if (toldEarly === undefined) return await serve(await creating, settings, terminal, told);
    await withinLimit(
      creating.then((node) => node.stop()),
      STOP_LIMIT_MS,
    );
    return EXIT.interrupted;
  } finally {
    if (remove) rmSync(settings.dataDir, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function serve(
  node: NodeApi,
  settings: ForegroundNode,
  terminal: Terminal,
  told: Promise<string>,
): Promise<ExitCode> {
  const asked = Promise.withResolvers<string>();
  // Who asks gets its answer when the node has left; the process ends afterwards (F4).
  const leave = async (): Promise<void> => {
    await node.stop();
    asked.resolve("asked to leave");
  };
  const control = await serveControl({ ...node, stop: leave }, settings.dataDir);
  let code: ExitCode = EXIT.ok;
  let why: string;
  let http: HttpServer | undefined;
  let attendance: Attendance | undefined;
  try {
    http = settings.http && (await serveNodeHttp(node, settings.http, settings.dataDir));
    attendance = await settings.attend?.(node);
    showReady(terminal, await readyRecord(node, settings, http ?? attendance?.http));
    const failed = node.failed.then((error) => {
      code = reportFailure(terminal, error);
      return "failed";
    });
    why = await Promise.race([told, failed, asked.promise]);
    if (settings.drainMs !== undefined && why !== "failed")
      await drainBeforeStop(node, settings.drainMs, terminal);
    if (why !== "failed") await withinLimit(attendance?.leave(), limitOf(settings));
  } finally {
    await withinLimit(Promise.resolve(attendance?.close()), STOP_LIMIT_MS);
    await withinLimit(Promise.allSettled([http?.close(), control.close(), node.stop()]), STOP_LIMIT_MS);
  }
  const peakRssBytes = peakRss();
  terminal.record({ event: "stopped", ok: code === EXIT.ok, why, peakRssBytes } satisfies StoppedRecord);
  terminal.line(`stopped: ${why}`);
  return code;
}

function serveNodeHttp(node: NodeApi, bind: HostPort, dataDir: string): Promise<HttpServer> {
  return serveHttp({ node, jobs: node, logs: node, bind, token: new HttpToken(tokenPath(dataDir)) });
}

function tokenPath(dataDir: string): string {
  return join(dataDir, "http-token");
}

async function readyRecord(
  node: NodeApi,
  settings: ForegroundNode,
  http: Pick<HttpServer, "address"> | undefined,
): Promise<ReadyRecord> {
  const status = await node.status();
  const { bind, dataDir, role } = settings;
  if (status.address !== undefined)
    rememberStart(dataDir, { role, host: bind.host, port: status.address.port });
  const joinLine = await joinLineOf(node, settings);
  return {
    event: "ready",
    node: status.node,
    name: status.name,
    role: status.role,
    cluster: status.cluster,
    address: formatHostPort(status.address),
    transport: status.transport,
    pid: process.pid,
    data: settings.dataDir,
    ...(http === undefined
      ? {}
      : { http: `http://${formatHostPort(http.address)}`, httpToken: tokenPath(settings.dataDir) }),
    ...(joinLine === undefined ? {} : { joinLine }),
  };
}

/** A member that founded nothing is resumed like a founder, and has no line to print. */
async function joinLineOf(node: NodeApi, { joinLine, start }: ForegroundNode): Promise<string | undefined> {
  if (joinLine === undefined) return undefined;
  try {
    return await node.createJoinLine(joinLine);
  } catch (error) {
    if (start.kind === "resume" && errorCodeOf(error) === "mesh.no-cluster-key") return undefined;
    throw error;
  }
}

function showReady(terminal: Terminal, ready: ReadyRecord): void {
  terminal.record(ready);
  terminal.line(`${terminal.style("bold", ready.name)}  ${ready.role}  ${ready.address}  ${ready.transport}`);
  terminal.line(`node ${ready.node}`);
  terminal.line(`data ${ready.data}`);
  if (ready.http !== undefined) terminal.line(`http ${ready.http}/metrics, token in ${ready.httpToken}`);
  if (ready.joinLine !== undefined) {
    terminal.line();
    terminal.line("Others join with:");
    terminal.line(`  glia mesh join ${bindHint(ready.address)}${ready.joinLine}`);
    terminal.line();
  }
  terminal.line(terminal.style("dim", "running; Ctrl-C stops it"));
}

/** Joining nodes listen on loopback unless told otherwise; from another machine they could not be reached there. */
function bindHint(address: string): string {
  return /^(127\.|\[::1\]|localhost:)/.test(address) ? "" : "--bind ADDRESS-OF-THAT-MACHINE:0 ";
}

function showEvent(terminal: Terminal, event: NodeEvent): void {
  terminal.record({ event: "node-event", detail: event } satisfies EventRecord);
  if (terminal.verbose || event.kind !== "migration-phase")
    terminal.line(`${terminal.style("dim", timeOfDay())}  ${eventLine(event)}`);
}

/** Local time to the second. */
function timeOfDay(): string {
  return new Date().toTimeString().slice(0, 8);
}

/** Log lines on standard error, with `-v`: what matters to everybody is told as events. */
function terminalLogger(terminal: Terminal): Logger {
  const write = (level: LogLevel, message: string, fields: LogFields): void => {
    if (!terminal.verbose || level === "debug") return;
    terminal.note(`${level}: ${message} ${JSON.stringify(fields)}`);
  };
  const at = (bound: LogFields): Logger => ({
    log: (level, message, more) => write(level, message, { ...bound, ...more }),
    child: (more) => at({ ...bound, ...more }),
  });
  return at({});
}

/** Resolves with the reason to stop (F1, F2). */
function untilTold(untilStdinCloses: boolean, interrupt: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    if (untilStdinCloses) {
      if (process.stdin.readableEnded || process.stdin.destroyed) resolve("standard input ended");
      process.stdin.on("end", () => resolve("standard input ended"));
      process.stdin.on("close", () => resolve("standard input ended"));
      process.stdin.on("error", () => resolve("standard input ended"));
      process.stdin.resume();
    }
    interrupt.addEventListener("abort", () => resolve((interrupt.reason as Error).message), { once: true });
    if (interrupt.aborted) resolve((interrupt.reason as Error).message);
  });
}

function limitOf({ stopLimitMs }: ForegroundNode): number {
  return stopLimitMs?.() ?? STOP_LIMIT_MS;
}

async function withinLimit(work: Promise<unknown> | undefined, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    work?.catch(() => {}),
    new Promise((resolve) => (timer = setTimeout(resolve, limitMs))),
  ]);
  clearTimeout(timer);
}
