/** Those whom a durable cell of the tests talks to: receivers that judge by link tables, names, topics, children. They outlive its node. */
import type { AgentId } from "@glia-os/abi/ids";
import { decodeEnvelope } from "@glia-os/cells/agent";
import type { CellDesks, CellEffect, CellNote } from "@glia-os/cells/domain";
import { LinkTable } from "@glia-os/mesh-core";

/** To the cell. */
export interface DeskAnswers {
  settled(agent: AgentId, link: string, upTo: number): void;
  noted(agent: AgentId, note: CellNote): void;
}

interface Receiver {
  readonly table: LinkTable;
  readonly got: string[];
}

/** The world outside. */
export class DeskWorld {
  readonly names = new Map<string, string>();
  readonly topics = new Map<string, readonly string[]>();
  readonly receivers = new Map<string, Receiver>();
  /** Children by the key of their making, and how often each was made. */
  readonly children = new Map<string, { readonly id: string; readonly made: number }>();
  /** Ids that nobody has. */
  readonly gone = new Set<string>();
  /** Offers that a receiver had already. */
  repeated = 0;

  receiver(id: string): Receiver {
    const known = this.receivers.get(id) ?? { table: new LinkTable(), got: [] };
    this.receivers.set(id, known);
    return known;
  }

  /** What a receiver got, message by message. */
  got(id: string): readonly unknown[] {
    return this.receiver(id).got.map((text) => decodeEnvelope(text).input);
  }

  /** The desks of one life of a node; `isAlive` ends them. */
  desks(answers: () => DeskAnswers, isAlive: () => boolean): CellDesks {
    const later = (run: () => void): void => {
      setImmediate(() => isAlive() && run());
    };
    const post = (agent: AgentId, effects: readonly CellEffect[]): void => {
      for (const effect of effects) later(() => this.#do(agent, effect, answers()));
    };
    return { begin: post, post };
  }

  #do(agent: AgentId, effect: CellEffect, answers: DeskAnswers): void {
    switch (effect.effect) {
      case "send":
        this.#offer(agent, effect.to, effect.link, effect.seq, effect.payload, answers);
        return;
      case "line":
        for (const [at, payload] of effect.held.entries()) {
          const seq = effect.next - effect.held.length + at;
          this.#offer(agent, effect.to, effect.link, seq, payload, answers);
        }
        return;
      case "resolve": {
        const { name } = effect;
        const found = this.names.get(name) ?? null;
        answers.noted(agent, { note: "named", name, agent: found, count: 0, lost: [] });
        return;
      }
      case "who": {
        const agents = this.topics.get(effect.topic) ?? [];
        answers.noted(agent, { note: "subscribers", publication: effect.publication, agents });
        return;
      }
      case "find": {
        const id = this.names.get(effect.name);
        const value = id === undefined ? null : { id, name: effect.name };
        answers.noted(agent, { note: "answer", request: effect.request, value });
        return;
      }
      case "spawn": {
        const key = `${agent}/${effect.request}`;
        const id = this.children.get(key)?.id ?? `${this.children.size + 1}`.padStart(32, "c");
        this.children.set(key, { id, made: 1 });
        answers.noted(agent, {
          note: "answer",
          request: effect.request,
          value: { id, name: effect.child.name },
        });
      }
    }
  }

  #offer(
    agent: AgentId,
    to: string,
    link: string,
    seq: number,
    payload: Uint8Array,
    answers: DeskAnswers,
  ): void {
    if (this.gone.has(to)) {
      answers.noted(agent, { note: "broken", link, to, upTo: 0, lost: [] });
      return;
    }
    const { table, got } = this.receiver(to);
    const verdict = table.offer(link, seq, 1, false);
    if (verdict.kind === "accepted") got.push(new TextDecoder().decode(payload));
    else if (verdict.kind === "duplicate") this.repeated++;
    else throw new RangeError(`message ${seq} of ${link} is ${verdict.kind}`);
    answers.settled(agent, link, verdict.next - 1);
  }
}
