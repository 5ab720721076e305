/** A member as the leader sees it. */
import { MalformedError } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import type { Journal } from "@glia-os/abi/ports";
import { reviveError } from "../errors.ts";
import { CheckedJournal } from "../journal/checked-journal.ts";
import type { JournalReply, JournalRequest } from "../journal/request.ts";
import type { Answer } from "../serve.ts";
import type { MemberState, ReplicaReply, ReplicaRequest } from "./protocol.ts";

/** How a member is reached: through the port, or in this process for the leader's own. */
export type CallMember = (request: ReplicaRequest) => Promise<ReplicaReply>;

/** One member, spoken to under one term. */
export class ReplicaPeer {
  readonly node: NodeId;
  readonly #call: CallMember;
  readonly #group: string;
  readonly #term: number;

  constructor(node: NodeId, call: CallMember, group: string, term: number) {
    this.node = node;
    this.#call = call;
    this.#group = group;
    this.#term = term;
  }

  /** Its journal, for copies in either direction. Closing it does nothing. */
  get journal(): Journal {
    return new CheckedJournal({ ask: (request) => this.#copied(request), end: async () => undefined });
  }

  prepare(): Promise<MemberState> {
    return this.#state({ kind: "prepare", ...this.#head() });
  }

  beginCopy(): Promise<MemberState> {
    return this.#state({ kind: "begin-copy", ...this.#head() });
  }

  endCopy(index: number): Promise<MemberState> {
    return this.#state({ kind: "end-copy", ...this.#head(), index });
  }

  async perform(
    after: number,
    requests: readonly JournalRequest[],
  ): Promise<readonly Answer<JournalReply>[]> {
    const reply = await this.#asked({ kind: "perform", ...this.#head(), after, requests });
    if (reply.kind === "answers" && reply.answers.length === requests.length) return reply.answers;
    throw new MalformedError("reply of a member", "it does not answer the requests");
  }

  async #copied(request: JournalRequest): Promise<JournalReply> {
    const reply = await this.#asked({ kind: "copy", ...this.#head(), request });
    const [answer] = reply.kind === "answers" ? reply.answers : [];
    if (answer === undefined) throw new MalformedError("reply of a member", "it does not answer the request");
    if ("refused" in answer) throw reviveError(answer.refused);
    return answer.reply;
  }

  async #state(request: ReplicaRequest): Promise<MemberState> {
    const reply = await this.#asked(request);
    if (reply.kind === "state") return reply.state;
    throw new MalformedError("reply of a member", "it is no state");
  }

  async #asked(request: ReplicaRequest): Promise<ReplicaReply> {
    const reply = await this.#call(request);
    if (reply.kind === "refused") throw reviveError(reply.refused);
    return reply;
  }

  #head(): { readonly group: string; readonly term: number } {
    return { group: this.#group, term: this.#term };
  }
}
