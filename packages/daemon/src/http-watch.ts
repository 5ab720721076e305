/**
 * What a node shows of itself over HTTP: `/metrics`, `/__health`, `/healthz`, `/readyz`. It changes nothing.
 *
 * HW1. One reading of the metrics at a time: those who ask meanwhile get the same one.
 * HW2. A node that does not answer within {@link ANSWER_MS} is not well (503); nothing waits longer.
 */
import { componentsOf } from "./health/component-health.ts";
import type { HttpAnswer } from "./http-guard.ts";
import type { NodeApi } from "./node-api.ts";
import type { NodeStatus } from "./node-views.ts";

/** How long the node may take to answer, in milliseconds (HW2). */
export const ANSWER_MS = 2000;

const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
const OPEN_PATHS: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

/** The paths that are answered. */
export const WATCH_PATHS: ReadonlySet<string> = new Set(["/metrics", "/__health", ...OPEN_PATHS]);

/** Whether a path says so little that it needs no token. */
export function isOpenPath(path: string): boolean {
  return OPEN_PATHS.has(path);
}

/** Answers them. */
export class HttpWatch {
  readonly #node: Pick<NodeApi, "metrics" | "status">;
  #reading: Promise<string> | undefined;

  constructor(node: Pick<NodeApi, "metrics" | "status">) {
    this.#node = node;
  }

  /** The answer to one of {@link WATCH_PATHS}. */
  async answer(path: string): Promise<HttpAnswer> {
    if (path === "/metrics") return { status: 200, body: await inTime(this.#metrics()), type: METRICS_TYPE };
    const status = await inTime(this.#node.status());
    if (path === "/healthz") return { status: 200, body: "ok\n" };
    const whyNot = whyNotReady(status);
    if (path === "/readyz")
      return whyNot === undefined ? { status: 200, body: "ready\n" } : { status: 503, body: `${whyNot}\n` };
    const report = { status: whyNot === undefined ? "ok" : "unready", why: whyNot, ...healthOf(status) };
    return { status: 200, body: `${JSON.stringify(report)}\n`, type: "application/json" };
  }

  /** (HW1) */
  #metrics(): Promise<string> {
    this.#reading ??= this.#node.metrics().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }
}

/** Why a node is no place for work now; undefined when it is. */
function whyNotReady({ health }: NodeStatus): string | undefined {
  if (health.quorum === "lost") return "no majority of the mesh is in reach";
  if (health.agentsStalled) return "the agents' thread stands still";
  return undefined;
}

function healthOf(status: NodeStatus): object {
  const { node, name, role, uptimeMs, hosting, members, health } = status;
  const components = componentsOf(status);
  return { node, name, role, uptimeMs, agents: hosting, members: members.length, health, components };
}

/** (HW2) */
async function inTime<Value>(work: Promise<Value>): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new RangeError("the node did not answer in time")), ANSWER_MS);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
