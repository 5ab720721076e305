/**
 * What a durable cell has on its way to others, as it follows from its journal.
 *
 * OX1. A message gets its link and its number from the record that holds it. So whoever goes on from the journal sends the same again under the same
 *      numbers, and receivers refuse what they have (links.md).
 * OX2. A message to a name waits, in order, until a record says who has it; a publication until a record says who hears it; then they are messages
 *      like others. A name means the same agent until a link to that agent broke.
 * OX3. What a record says was acknowledged is forgotten, and so is a request with its answer.
 * OX4. At most {@link LINKS_KEPT} links are kept that carry nothing: the one that was used longest ago is closed for the next.
 * OX5. `everything` is what has to be done again by a node that takes the cell up.
 */
import type { LinkId } from "@glia-os/mesh-core";
import { isAgentId } from "../agent/reference.ts";
import { BadImageError } from "../errors.ts";
import type { CellAct, CellEffect, CellNote } from "./cell-act.ts";

/** Links that are kept beside those that carry something. */
export const LINKS_KEPT = 256;
/** Names whose agent is remembered. */
export const NAMES_KEPT = 256;

interface Line {
  readonly to: string;
  readonly link: LinkId;
  next: number;
  /** Messages numbered up to `next - 1`, oldest first. */
  held: Uint8Array[];
}

interface Named {
  agent: string | undefined;
  waiting: Uint8Array[];
}

type Asked = Extract<CellAct, { readonly request: number }>;

interface Form {
  readonly lastLink: number;
  readonly lastPublication: number;
  readonly lines: readonly Line[];
  readonly names: readonly (readonly [string, string | null, readonly Uint8Array[]])[];
  readonly topics: readonly string[];
  readonly requests: readonly Asked[];
  readonly publications: readonly (readonly [number, string, Uint8Array])[];
  readonly parent: string | null;
  readonly children: readonly string[];
}

/** The outbox of one cell. */
export class Outbox {
  readonly #linkOf: (number: number) => LinkId;
  readonly #lines = new Map<string, Line>();
  readonly #names = new Map<string, Named>();
  readonly #topics = new Set<string>();
  readonly #requests = new Map<number, Asked>();
  readonly #publications = new Map<number, { readonly topic: string; readonly payload: Uint8Array }>();
  readonly #children = new Set<string>();
  #parent: string | undefined;
  #lastLink = 0;
  #lastPublication = 0;
  #effects: CellEffect[] = [];

  /** `linkOf` gives the id of the cell's nth link. @throws {BadImageError} for a form that is none */
  constructor(linkOf: (number: number) => LinkId, form?: unknown) {
    this.#linkOf = linkOf;
    if (form === undefined) return;
    if (!isForm(form)) throw new BadImageError("a checkpoint has no outgoing messages");
    this.#lastLink = form.lastLink;
    this.#lastPublication = form.lastPublication;
    for (const line of form.lines) this.#lines.set(line.to, { ...line, held: [...line.held] });
    for (const [name, agent, waiting] of form.names)
      this.#names.set(name, { agent: agent ?? undefined, waiting: [...waiting] });
    for (const topic of form.topics) this.#topics.add(topic);
    for (const asked of form.requests) this.#requests.set(asked.request, asked);
    for (const [number, topic, payload] of form.publications)
      this.#publications.set(number, { topic, payload });
    this.#parent = form.parent ?? undefined;
    for (const child of form.children) this.#children.add(child);
  }

  /** Messages on their way, and their bytes; `acknowledged` says what of them has arrived. O(messages). */
  held(acknowledged?: ReadonlyMap<LinkId, number>): { messages: number; bytes: number } {
    const all = [...this.#publications.values()].map(({ payload }) => payload);
    for (const { waiting } of this.#names.values()) all.push(...waiting);
    for (const { link, next, held } of this.#lines.values()) {
      const arrived = (acknowledged?.get(link) ?? 0) - (next - held.length - 1);
      all.push(...(arrived > 0 ? held.slice(arrived) : held));
    }
    return { messages: all.length, bytes: all.reduce((sum, { length }) => sum + length, 0) };
  }

  /** Whether a child is to be made whose making was not answered. */
  get spawns(): boolean {
    return [...this.#requests.values()].some(({ act }) => act === "spawn");
  }

  /** Take what is to be done since the last time. */
  takeEffects(): readonly CellEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** One wish was recorded. */
  act(act: CellAct): void {
    switch (act.act) {
      case "send":
        this.#send(act.to, act.payload);
        return;
      case "publish": {
        const publication = ++this.#lastPublication;
        this.#publications.set(publication, act);
        this.#effects.push({ effect: "who", publication, topic: act.topic });
        return;
      }
      case "subscribe":
        this.#topics.add(act.topic);
        this.#effects.push(this.#topicsEffect());
        return;
      case "unsubscribe":
        this.#topics.delete(act.topic);
        this.#effects.push(this.#topicsEffect());
        return;
      case "find":
      case "spawn":
        this.#requests.set(act.request, act);
        this.#effects.push(requestEffect(act));
        return;
      default:
        if (act.act === "parent") this.#parent = act.agent;
        else this.#children.delete(act.agent);
        this.#effects.push(this.#familyEffect());
    }
  }

  /** Up to which number a link was acknowledged, as a record says (OX3). */
  settle(link: LinkId, upTo: number): void {
    for (const line of this.#lines.values())
      if (line.link === link) line.held.splice(0, Math.max(0, upTo - (line.next - line.held.length - 1)));
  }

  /** What its node told it was recorded. */
  noted(note: CellNote): void {
    switch (note.note) {
      case "named":
        this.#named(note);
        return;
      case "subscribers":
        this.#published(note);
        return;
      case "broken":
        this.#broken(note);
        return;
      default:
        this.#answered(note);
    }
  }

  /** What waits for a name, and what a link holds: for whoever says that it is lost. */
  waitingFor(name: string): readonly Uint8Array[] {
    return this.#names.get(name)?.waiting ?? [];
  }

  heldOn(
    link: LinkId,
  ): { readonly to: string; readonly upTo: number; readonly held: readonly Uint8Array[] } | undefined {
    for (const { to, link: one, next, held } of this.#lines.values())
      if (one === link) return { to, upTo: next - 1, held };
    return undefined;
  }

  /** All that has to be done again (OX5). */
  everything(): readonly CellEffect[] {
    const lines = [...this.#lines.values()].map(({ to, link, next, held }) => ({
      effect: "line" as const,
      to,
      link,
      next,
      held: held.map((payload) => payload.slice()),
    }));
    const names = [...this.#names].filter(([, { waiting }]) => waiting.length > 0);
    return [
      this.#topicsEffect(),
      this.#familyEffect(),
      ...lines,
      ...names.map(([name]) => ({ effect: "resolve" as const, name })),
      ...[...this.#publications].map(([publication, { topic }]) => ({
        effect: "who" as const,
        publication,
        topic,
      })),
      ...[...this.#requests.values()].map(requestEffect),
    ];
  }

  /** As plain data, for a checkpoint. */
  form(): unknown {
    return {
      lastLink: this.#lastLink,
      lastPublication: this.#lastPublication,
      lines: [...this.#lines.values()],
      names: [...this.#names].map(([name, { agent, waiting }]) => [name, agent ?? null, waiting]),
      topics: [...this.#topics],
      requests: [...this.#requests.values()],
      publications: [...this.#publications].map(([n, { topic, payload }]) => [n, topic, payload]),
      parent: this.#parent ?? null,
      children: [...this.#children],
    } satisfies { [Field in keyof Form]: unknown };
  }

  #send(to: string, payload: Uint8Array): void {
    if (isAgentId(to)) {
      this.#give(to, payload);
      return;
    }
    const known = this.#names.get(to);
    if (known?.agent !== undefined) {
      this.#names.delete(to);
      this.#names.set(to, known);
      this.#give(known.agent, payload);
    } else if (known !== undefined) known.waiting.push(payload);
    else {
      this.#names.set(to, { agent: undefined, waiting: [payload] });
      this.#effects.push({ effect: "resolve", name: to });
    }
  }

  /** OX1. */
  #give(to: string, payload: Uint8Array): void {
    const line = this.#lines.get(to) ?? { to, link: this.#linkOf(++this.#lastLink), next: 1, held: [] };
    this.#lines.delete(to);
    this.#lines.set(to, line);
    const seq = line.next++;
    line.held.push(payload);
    this.#effects.push({ effect: "send", to, link: line.link, seq, payload: payload.slice() });
    if (this.#lines.size > LINKS_KEPT) this.#closeIdle();
  }

  /** OX4. */
  #closeIdle(): void {
    for (const [to, { link, held }] of this.#lines) {
      if (held.length > 0) continue;
      this.#lines.delete(to);
      this.#effects.push({ effect: "close", link });
      return;
    }
  }

  #named({ name, agent, count }: Extract<CellNote, { note: "named" }>): void {
    const entry = this.#names.get(name);
    if (entry === undefined || entry.agent !== undefined) return;
    if (agent === null) {
      entry.waiting.splice(0, count);
      if (entry.waiting.length === 0) this.#names.delete(name);
      else this.#effects.push({ effect: "resolve", name });
      return;
    }
    entry.agent = agent;
    for (const payload of entry.waiting.splice(0)) this.#give(agent, payload);
    for (const [other, { agent: found }] of this.#names) {
      if (this.#names.size <= NAMES_KEPT) break;
      if (found !== undefined) this.#names.delete(other);
    }
  }

  #published({ publication, agents }: Extract<CellNote, { note: "subscribers" }>): void {
    const published = this.#publications.get(publication);
    this.#publications.delete(publication);
    if (published === undefined) return;
    for (const agent of agents) this.#give(agent, published.payload);
  }

  #broken({ link, to, upTo }: Extract<CellNote, { note: "broken" }>): void {
    const line = this.#lines.get(to);
    if (line?.link !== link) return;
    this.#lines.delete(to);
    for (const [name, { agent }] of this.#names) if (agent === to) this.#names.delete(name);
    this.#effects.push({ effect: "close", link });
    const lost = Math.max(0, upTo - (line.next - line.held.length - 1));
    for (const payload of line.held.slice(lost)) this.#give(to, payload);
  }

  #answered(note: Extract<CellNote, { note: "answer" }>): void {
    const asked = this.#requests.get(note.request);
    this.#requests.delete(note.request);
    if (asked?.act !== "spawn" || asked.child.detached === true || "error" in note) return;
    const { id } = note.value as { readonly id: string };
    this.#children.add(id);
    this.#effects.push(this.#familyEffect());
  }

  #topicsEffect(): CellEffect {
    return { effect: "topics", topics: [...this.#topics] };
  }

  #familyEffect(): CellEffect {
    return { effect: "family", parent: this.#parent, children: [...this.#children] };
  }
}

function requestEffect(asked: Asked): CellEffect {
  const { request } = asked;
  return asked.act === "find"
    ? { effect: "find", request, name: asked.name }
    : { effect: "spawn", request, child: asked.child };
}

function isForm(form: unknown): form is Form {
  if (typeof form !== "object" || form === null) return false;
  const { lastLink, lastPublication, lines, names, topics, requests, publications, children } =
    form as Readonly<Record<string, unknown>>;
  const lists = [lines, names, topics, requests, publications, children];
  return (
    Number.isSafeInteger(lastLink) && Number.isSafeInteger(lastPublication) && lists.every(Array.isArray)
  );
}
