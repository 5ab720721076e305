/**
 * How far nodes are from each other: round trips of small calls, measured when somebody asks.
 *
 * DI1. A distance is the least of {@link SAMPLES} round trips: what a busy thread adds to one of them is no distance. A member that does not answer
 *      within {@link PING_MS} has none.
 * DI2. What a file says of a member, by its name, counts instead of what is measured.
 */
import { readFile } from "node:fs/promises";
import { type NodeId, parseNodeId } from "@glia-os/abi/ids";
import type { Clock } from "@glia-os/abi/ports";
import type { Mesh } from "@glia-os/mesh-core";
import { decodeBody, encodeBody, NODE_CALLS } from "../node-call.ts";

/** Asks a member how far another is from it. Body: `{to}`. Answer: milliseconds, or null. */
export const DISTANCE_CALL = "node.distance";
/** Round trips of one measurement (DI1). */
export const SAMPLES = 3;
const PING_MS = 1000;
const ASK_MS = SAMPLES * PING_MS + 500;

/** What it works with. */
export interface DistanceParts {
  readonly mesh: Mesh;
  readonly clock: Clock;
  /** A JSON file with `{"rttMs": {"NAME": milliseconds}}` (DI2). */
  readonly file?: string | undefined;
}

/** Measures. */
export class DistanceService {
  readonly #parts: DistanceParts;

  constructor(parts: DistanceParts) {
    this.#parts = parts;
    parts.mesh.handle(DISTANCE_CALL, async (_caller, body) => {
      const { to } = (decodeBody(body) ?? {}) as { readonly to?: unknown };
      return encodeBody((await this.to(parseNodeId(String(to)))) ?? null);
    });
  }

  /** The round trip to a member in milliseconds; undefined when it does not answer. */
  async to(node: NodeId): Promise<number | undefined> {
    const { mesh } = this.#parts;
    if (node === mesh.self) return 0;
    const member = mesh.members().find((one) => one.node === node);
    if (member === undefined) return undefined;
    return (await this.#said(member.name)) ?? this.#measured(node);
  }

  /** The round trip between two members, as the first of them measures it; undefined when either does not answer. */
  async between(from: NodeId, to: NodeId): Promise<number | undefined> {
    const { mesh } = this.#parts;
    if (from === mesh.self) return this.to(to);
    try {
      const answer = decodeBody(
        await mesh.call(from, DISTANCE_CALL, encodeBody({ to }), { timeoutMs: ASK_MS }),
      );
      return typeof answer === "number" && answer >= 0 ? answer : undefined;
    } catch {
      return undefined; // It is gone, or too busy to be a better place.
    }
  }

  async #measured(node: NodeId): Promise<number | undefined> {
    const { mesh, clock } = this.#parts;
    let least: number | undefined;
    for (let sample = 0; sample < SAMPLES; sample++) {
      const startMs = clock.monotonicMs();
      try {
        await mesh.call(node, NODE_CALLS.ping, encodeBody(null), { timeoutMs: PING_MS });
      } catch {
        return undefined;
      }
      least = Math.min(least ?? Number.POSITIVE_INFINITY, clock.monotonicMs() - startMs);
    }
    return least;
  }

  /** DI2. A file that cannot be read says nothing. */
  async #said(name: string): Promise<number | undefined> {
    const { file } = this.#parts;
    if (file === undefined) return undefined;
    try {
      const { rttMs } = JSON.parse(await readFile(file, "utf8")) as { readonly rttMs?: unknown };
      const said = (rttMs as Readonly<Record<string, unknown>> | undefined)?.[name];
      return typeof said === "number" && said >= 0 ? said : undefined;
    } catch {
      return undefined;
    }
  }
}
