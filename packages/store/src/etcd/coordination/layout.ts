/** Which keys of etcd hold a coordination store (docs/spec/coordination-etcd.md). Values are JSON. */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import { endOf } from "../txn.ts";

/** The format of the keys that this version writes. */
export const LAYOUT_FORMAT = 1;

const DIGITS = 16;

/** The keys under one prefix. */
export class CoordinationKeys {
  /** The counters; every change of the store writes them. */
  readonly counters: string;
  readonly #prefix: string;

  /** `prefix` ends with `/`. */
  constructor(prefix: string) {
    this.#prefix = prefix;
    this.counters = `${prefix}counters`;
  }

  /** The session of a node. */
  session(node: NodeId): string {
    return `${this.#prefix}session/${node}`;
  }

  /** The row of an agent. */
  agent(agent: AgentId): string {
    return `${this.#prefix}agent/${agent}`;
  }

  /** The row of the agent with this name that is not terminated. UTF-8 puts the keys in the order of code points. */
  name(name: string): string {
    return `${this.#prefix}name/${name}`;
  }

  /** The row that a revision wrote. */
  change(revision: number): string {
    return `${this.#prefix}change/${String(revision).padStart(DIGITS, "0")}`;
  }

  /** What a request answered. */
  outcome(requestId: string): string {
    return `${this.#prefix}outcome/${requestId}`;
  }

  /** Which request was remembered as number `seq`. */
  order(seq: number): string {
    return `${this.#prefix}order/${String(seq).padStart(DIGITS, "0")}`;
  }

  /** The number in a key of {@link change} or {@link order}. */
  numberIn(key: string): number {
    return Number(key.slice(-DIGITS));
  }

  /** All keys of one kind: the first possible one, and the first after them. */
  all(kind: "session" | "name" | "change" | "order"): { readonly key: string; readonly end: string } {
    const start = `${this.#prefix}${kind}/`;
    return { key: start, end: endOf(start) };
  }
}
