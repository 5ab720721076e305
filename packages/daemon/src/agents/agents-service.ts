/**
 * The service `agents` of a node, on the thread of its cells: a guest that holds it asks for acts, and they leave for the mesh thread in order.
 *
 * AV1. A call is answered when its acts are on their way to the mesh thread, before anything the cell does later, and before it is frozen.
 * AV3. Acts of a cell with a replica leave when the record of the call is held (docs/spec/replica.md); the call is answered without waiting for that.
 * AV2. A cell with messages that were not accepted, publications and requests under way of the weight {@link PRESSURE} waits up to
 *      {@link PATIENCE_MS} for room at each call; one that would pass {@link OUTBOX_MAX} is refused, and nothing of the call was done. So what moves with a cell stays within 16 MiB.
 */
import { MalformedError } from "@glia-os/abi/errors";
import type { AgentId } from "@glia-os/abi/ids";
import type { Timers } from "@glia-os/abi/ports";
import { RIGHTS } from "@glia-os/abi/syscalls";
import { type CellService, OUTPUTS_MAX, type Tape } from "@glia-os/cells";
import type { Kernel, TaskId } from "@glia-os/kernel";
import type { Service } from "@glia-os/kernel/services";
import { encodeActs } from "../replica/act-codec.ts";
import { type AgentAct, actsOf } from "./act.ts";
import { OutboxFullError } from "./errors.ts";
import { weightOfAct } from "./weight.ts";

/** The weight (weight.ts) of what one cell asked for and is not done, above which it waits. */
export const PRESSURE = 512;
/** The same, at most. */
export const OUTBOX_MAX = 4096;
/** Longest wait for room: a cell that is to move waits for it too. */
export const PATIENCE_MS = 100;
const CALLS_AT_ONCE = 4096;

/** Who calls. */
export interface CallingCell {
  readonly agent: AgentId;
  readonly manifest: { readonly name: string };
  /** Of one with a replica: its acts leave with the record of the call. */
  readonly tape?: Pick<Tape, "asksFor"> | undefined;
}

/** What the service needs. */
export interface AgentsServiceParts {
  readonly kernel: Kernel;
  readonly timers: Timers;
  cellOf(task: TaskId): CallingCell | undefined;
  /** To the mesh thread, one-way and in order with everything else about cells. */
  acted(agent: AgentId, acts: readonly AgentAct[]): void;
}

/** The service, and what the mesh thread tells it. */
export interface AgentsService {
  readonly service: CellService;
  /** Messages and requests of so much weight of a cell were accepted, done or given up. */
  released(agent: AgentId, count: number): void;
  /** A cell arrived with so many. */
  held(agent: AgentId, count: number): void;
}

/** @throws {MalformedError} when they do not fit one entry of its log */
function record(tape: Pick<Tape, "asksFor">, acts: readonly AgentAct[]): void {
  const bytes = encodeActs(acts);
  if (bytes.length > OUTPUTS_MAX)
    throw new MalformedError(
      "agents call",
      `its acts have ${bytes.length} bytes; the limit is ${OUTPUTS_MAX}`,
    );
  tape.asksFor(bytes);
}

interface Outbox {
  held: number;
  go: (() => void) | undefined;
}

/** Make it. */
export function agentsService({ kernel, timers, cellOf, acted }: AgentsServiceParts): AgentsService {
  const outboxes = new Map<AgentId, Outbox>();
  const outboxOf = (agent: AgentId): Outbox => {
    const known = outboxes.get(agent) ?? { held: 0, go: undefined };
    outboxes.set(agent, known);
    return known;
  };
  const set = (agent: AgentId, held: number): void => {
    const box = outboxOf(agent);
    box.held = Math.max(0, held);
    if (box.held < PRESSURE) box.go?.();
    if (box.held === 0) outboxes.delete(agent);
  };
  const service: Service = {
    kind: "tool",
    name: "agents",
    concurrency: CALLS_AT_ONCE,
    perform(request, settle, { task }) {
      const cell = cellOf(task);
      if (cell === undefined) return undefined; // It ended: nobody waits.
      const { agent, manifest, tape } = cell;
      const acts = actsOf(request, { id: agent, name: manifest.name });
      const weight = acts.reduce((sum, act) => sum + weightOfAct(act), 0);
      const box = outboxOf(agent);
      if (box.held + weight > OUTBOX_MAX) throw new OutboxFullError(OUTBOX_MAX);
      if (tape === undefined) acted(agent, acts);
      else record(tape, acts);
      box.held += weight;
      if (box.held < PRESSURE) {
        settle.ok(null);
        return undefined;
      }
      const timer = timers.schedule(PATIENCE_MS, () => done());
      const done = (): void => {
        timer.cancel();
        box.go = undefined;
        settle.ok(null);
      };
      box.go = done;
      return () => timer.cancel();
    },
  };
  const handle = kernel.service(service);
  return {
    service: { name: "agents", handle, rights: RIGHTS.exec, recorded: true },
    released: (agent, count) => set(agent, (outboxes.get(agent)?.held ?? 0) - count),
    // What was counted here at an earlier stay means nothing any more.
    held: (agent, count) => set(agent, count),
  };
}
