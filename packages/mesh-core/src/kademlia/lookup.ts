/**
 * One lookup as a machine without a clock or a network: `next` says whom to ask, `onSuccess` and `onFailure` take what came back.
 * Disjoint paths as in S/Kademlia (Baumgart and Mies, 2007): a peer belongs to the path that asked it first, and its answer feeds only
 * that path, so one liar misleads one path.
 *
 * LU1. Nobody is asked twice, and at most {@link ASKS_MAX} peers are asked: it ends.
 * LU2. Per path at most alpha questions are open that are younger than the patience with their peer. Older ones stop holding the path
 *      up; their answers still count until the lookup ends.
 * LU3. A path ends when the k nearest it knows, without the failed ones, have all been asked by any path and none is waited for.
 * LU4. The result holds only peers that answered: the failed and the merely mentioned do not pad it.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { Contact } from "./contact.ts";
import { compareDistance, type KeyWords } from "./distance.ts";

/** Most peers one lookup asks. */
export const ASKS_MAX = 160;
/** Most candidates a path remembers, as a multiple of k. */
const CANDIDATES_PER_K = 4;

type State = "waiting" | "slow" | "answered" | "failed";

interface Candidate {
  readonly contact: Contact;
  /** Hops from the start: 1 for the contacts it began with. */
  readonly depth: number;
}

interface Asked {
  state: State;
  readonly candidate: Candidate;
  readonly path: number;
  readonly patientUntilMs: number;
}

/** Settings of one lookup. */
export interface LookupOptions {
  readonly self: NodeId;
  readonly target: KeyWords;
  readonly seeds: readonly Contact[];
  /** How many nearest peers are wanted. */
  readonly k: number;
  /** Questions open at once per path. */
  readonly alpha: number;
  readonly paths: number;
  /** How long a question to a peer counts as open, in milliseconds. */
  waitMs(node: NodeId): number;
}

/** What to do next. */
export interface LookupStep {
  /** Ask these now. */
  readonly ask: readonly Contact[];
  /** Call `next` again at this time if nothing came back before. */
  readonly wakeMs: number | undefined;
}

/** The machine. */
export class Lookup {
  readonly #o: LookupOptions;
  readonly #paths: Candidate[][];
  readonly #asked = new Map<NodeId, Asked>();
  #stopped = false;

  constructor(options: LookupOptions) {
    this.#o = options;
    this.#paths = Array.from({ length: options.paths }, () => []);
    const seeds = options.seeds.filter(({ node }) => node !== options.self);
    for (const [i, contact] of seeds.entries()) this.#learn(i % options.paths, { contact, depth: 1 });
  }

  /** Whether nothing is left to do. */
  get done(): boolean {
    return this.#stopped || this.#paths.every((_, path) => this.#pathDone(path));
  }

  /** Peers asked so far. */
  get asked(): number {
    return this.#asked.size;
  }

  /** Whom to ask now (LU1, LU2). */
  next(nowMs: number): LookupStep {
    const ask: Contact[] = [];
    if (this.#stopped) return { ask, wakeMs: undefined };
    for (const asked of this.#asked.values())
      if (asked.state === "waiting" && asked.patientUntilMs <= nowMs) asked.state = "slow";
    for (let path = 0; path < this.#o.paths; path++) this.#fill(path, nowMs, ask);
    let wakeMs: number | undefined;
    for (const { state, patientUntilMs } of this.#asked.values())
      if (state === "waiting" && (wakeMs === undefined || patientUntilMs < wakeMs)) wakeMs = patientUntilMs;
    return { ask, wakeMs };
  }

  /** A peer answered with contacts. False when it was not asked, or answered before. */
  onSuccess(node: NodeId, contacts: readonly Contact[]): boolean {
    const asked = this.#asked.get(node);
    if (this.#stopped || asked === undefined || asked.state === "answered") return false;
    asked.state = "answered";
    const depth = asked.candidate.depth + 1;
    for (const contact of contacts.slice(0, this.#o.k))
      if (contact.node !== this.#o.self) this.#learn(asked.path, { contact, depth });
    return true;
  }

  /** A peer did not answer, or wrongly. */
  onFailure(node: NodeId): void {
    const asked = this.#asked.get(node);
    if (asked !== undefined && asked.state !== "answered") asked.state = "failed";
  }

  /** End now: what is open is not waited for. */
  stop(): void {
    this.#stopped = true;
  }

  /** The k nearest peers that answered, nearest first (LU4). */
  closest(): Contact[] {
    const answered = [...this.#asked.values()].filter(({ state }) => state === "answered");
    return answered
      .map(({ candidate }) => candidate.contact)
      .sort((a, b) => compareDistance(this.#o.target, a.words, b.words))
      .slice(0, this.#o.k);
  }

  /** Hops to a peer that was asked: 1 for those the lookup began with. */
  hopsTo(node: NodeId): number {
    return this.#asked.get(node)?.candidate.depth ?? 0;
  }

  /** The path that asked a peer. */
  pathOf(node: NodeId): number | undefined {
    return this.#asked.get(node)?.path;
  }

  #fill(path: number, nowMs: number, ask: Contact[]): void {
    let open = 0;
    for (const { state, path: owner } of this.#asked.values())
      if (owner === path && state === "waiting") open++;
    for (const candidate of this.#window(path)) {
      if (open >= this.#o.alpha || this.#asked.size >= ASKS_MAX) return;
      const { contact } = candidate;
      if (this.#asked.has(contact.node)) continue;
      const patientUntilMs = nowMs + this.#o.waitMs(contact.node);
      this.#asked.set(contact.node, { state: "waiting", candidate, path, patientUntilMs });
      ask.push(contact);
      open++;
    }
  }

  /** The k nearest candidates of a path that have not failed; a slow one counts as failed until it answers. */
  #window(path: number): Candidate[] {
    const near: Candidate[] = [];
    for (const candidate of this.#paths[path] ?? []) {
      const state = this.#asked.get(candidate.contact.node)?.state;
      if (state === "failed" || state === "slow") continue;
      near.push(candidate);
      if (near.length >= this.#o.k) break;
    }
    return near;
  }

  #pathDone(path: number): boolean {
    const full = this.#asked.size >= ASKS_MAX;
    for (const { contact } of this.#window(path)) {
      const state = this.#asked.get(contact.node)?.state;
      if (state === "waiting" || (state === undefined && !full)) return false;
    }
    return true;
  }

  #learn(path: number, candidate: Candidate): void {
    const list = this.#paths[path] as Candidate[];
    const { target, k } = this.#o;
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = list[middle] as Candidate;
      if (other.contact.node === candidate.contact.node) return;
      if (compareDistance(target, other.contact.words, candidate.contact.words) < 0) low = middle + 1;
      else high = middle;
    }
    if (list[low]?.contact.node === candidate.contact.node) return;
    list.splice(low, 0, candidate);
    if (list.length > CANDIDATES_PER_K * k) list.pop();
  }
}
