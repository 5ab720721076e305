/**
 * One member of a replicated journal: a journal of its own, and what it promised.
 *
 * M1. A promise is durable before it is answered. After it, requests of an earlier term are refused and change nothing.
 * M2. The index of the last request is written after the flush of what that request changed: a member never says that it holds more
 *     than it does.
 * M3. Requests are performed one after the other.
 * M4. While a copy removes parts of what a member holds, the member says so; a crash leaves it saying so.
 */
import { isGliaError, toErrorRecord } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import type { Journal, KeyValue } from "@glia-os/abi/ports";
import { CorruptError } from "../errors.ts";
import { StaleEpochError } from "../journal/errors.ts";
import { ReplicaBehindError, ReplicaForeignError } from "./errors.ts";
import { changes, performAll } from "./perform.ts";
import type { MemberState, ReplicaReply, ReplicaRequest } from "./protocol.ts";

/** What a member is made from. */
export interface ReplicaMemberOptions {
  /** The name of the group: 1 to 64 letters, digits, `.`, `_`, `-` and `/`. */
  readonly group: string;
  /** All members, this one included. */
  readonly members: readonly NodeId[];
  /** Holds the records. Of this group alone; its limits are those of every member. */
  readonly journal: Journal;
  /** Holds the promises, under the key `replica/<group>`. On the same disk, so that both are lost together or not at all. */
  readonly control: KeyValue;
}

const NEW: MemberState = { promised: 0, term: 0, index: 0, copying: 0 };

/** Answers the requests of the leader. */
export class ReplicaMember {
  readonly journal: Journal;
  readonly #options: ReplicaMemberOptions;
  #state: MemberState | undefined;
  #version = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ReplicaMemberOptions) {
    this.#options = options;
    this.journal = options.journal;
  }

  /** The name of its group. */
  get group(): string {
    return this.#options.group;
  }

  /** Answer a request of a node, which the transport has authenticated. Never rejects for a refusal. */
  handle(from: NodeId, request: ReplicaRequest): Promise<ReplicaReply> {
    const answered = this.#last.then(() => this.#answer(from, request));
    this.#last = answered.catch(() => undefined);
    return answered;
  }

  async #answer(from: NodeId, request: ReplicaRequest): Promise<ReplicaReply> {
    try {
      return await this.#perform(from, request);
    } catch (error) {
      // What reached the disk is not known: read it again before the next answer.
      this.#state = undefined;
      if (isGliaError(error)) return { kind: "refused", refused: toErrorRecord(error) };
      throw error;
    }
  }

  async #perform(from: NodeId, request: ReplicaRequest): Promise<ReplicaReply> {
    const { group, members, journal } = this.#options;
    if (request.group !== group || !members.includes(from))
      throw new ReplicaForeignError(group, `node ${String(from).slice(0, 8)} or its group is none of it`);
    const state = await this.#known();
    if (request.kind === "prepare") return this.#prepare(state, request.term);
    if (request.term !== state.promised) throw new StaleEpochError(group, request.term, state.promised);
    switch (request.kind) {
      case "copy":
        return { kind: "answers", answers: await performAll(journal, [request.request]) };
      case "begin-copy":
        return this.#keep({ ...state, copying: request.term });
      case "end-copy":
        return this.#keep({ promised: state.promised, term: request.term, index: request.index, copying: 0 });
      case "perform":
        return this.#follow(state, request);
    }
  }

  async #prepare(state: MemberState, term: number): Promise<ReplicaReply> {
    if (term < state.promised) throw new StaleEpochError(this.#options.group, term, state.promised);
    return this.#keep({ ...state, promised: term });
  }

  async #follow(
    state: MemberState,
    { term, after, requests }: ReplicaRequest & { readonly kind: "perform" },
  ): Promise<ReplicaReply> {
    if (state.term !== term || state.copying !== 0 || state.index !== after)
      throw new ReplicaBehindError(this.#options.group, state.term === term ? state.index : 0, after);
    const answers = await performAll(this.#options.journal, requests);
    // M2.
    if (requests.some((request, i) => changes(request, answers[i] as (typeof answers)[number])))
      await this.#keep({ ...state, index: after + 1 });
    return { kind: "answers", answers };
  }

  async #known(): Promise<MemberState> {
    if (this.#state !== undefined) return this.#state;
    const { control, group } = this.#options;
    const kept = await control.get(`replica/${group}`);
    this.#version = kept?.version ?? 0;
    this.#state = kept === undefined ? NEW : stateIn(kept.value, group);
    return this.#state;
  }

  /** M1. */
  async #keep(state: MemberState): Promise<ReplicaReply> {
    const { control, group } = this.#options;
    const bytes = new TextEncoder().encode(JSON.stringify(state));
    const version = await control.put(`replica/${group}`, bytes, this.#version);
    if (version === undefined)
      throw new CorruptError(`replica/${group}`, "another process wrote what this member promised");
    this.#version = version;
    this.#state = state;
    return { kind: "state", state };
  }
}

function stateIn(bytes: Uint8Array, group: string): MemberState {
  try {
    const { promised, term, index, copying } = JSON.parse(new TextDecoder().decode(bytes)) as MemberState;
    if ([promised, term, index, copying].every((number) => Number.isSafeInteger(number) && number >= 0))
      return { promised, term, index, copying };
  } catch {
    // Refused below.
  }
  throw new CorruptError(`replica/${group}`, "it is no state of a member");
}
