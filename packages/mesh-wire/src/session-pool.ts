/**
 * The sessions of one transport.
 *
 * B1. At most one session per peer is handed out. An older one that a newer replaced may finish, for a bounded time.
 * B2. Over the limit the idle session that was used least recently is closed; without an idle one the new session is refused.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { HostPort } from "@glia-os/abi/ports";
import type { Ordinal } from "./control-payload.ts";
import type { FramedSession } from "./framed-session.ts";

/** Holds sessions until they are over. */
export class SessionPool {
  readonly #limit: number;
  readonly #all = new Set<FramedSession>();
  readonly #byPeer = new Map<NodeId, FramedSession>();
  readonly #arrivals = new Map<NodeId, Set<(session: FramedSession) => void>>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Every session that is not over. */
  get sessions(): readonly FramedSession[] {
    return [...this.#all];
  }

  /** The session to hand out for a peer (B1). */
  get(peer: NodeId): FramedSession | undefined {
    const session = this.#byPeer.get(peer);
    return session?.open === true ? session : undefined;
  }

  /** The session with this peer and id. */
  find(peer: NodeId, id: Ordinal): FramedSession | undefined {
    const fits = (session: FramedSession) =>
      session.peer === peer && session.id.instance === id.instance && session.id.count === id.count;
    return this.sessions.find(fits);
  }

  /** The session that is handed out and was dialled at this address. */
  at(address: HostPort): FramedSession | undefined {
    const fits = (session: FramedSession) =>
      session.initiator && session.remote.host === address.host && session.remote.port === address.port;
    return this.sessions.find((session) => fits(session) && this.get(session.peer) === session);
  }

  /** Make room for one more (B2). Returns whether there is room. Sessions that are closing count apart, to the same limit. */
  makeRoom(): boolean {
    const open = this.sessions.filter((session) => session.open);
    if (this.#all.size - open.length >= this.#limit) return false;
    if (open.length < this.#limit) return true;
    const [first, ...rest] = open.filter((session) => session.idle);
    if (first === undefined) return false;
    const oldest = rest.reduce((a, b) => (b.lastMessageMs < a.lastMessageMs ? b : a), first);
    void oldest.close("another session needs its place");
    return true;
  }

  /** Add a session. `handOut` replaces the one that is handed out for its peer; returns that one. */
  add(session: FramedSession, handOut: boolean): FramedSession | undefined {
    this.#all.add(session);
    const replaced = this.get(session.peer);
    if (replaced !== undefined && !handOut) return undefined;
    this.#byPeer.set(session.peer, session);
    const arrivals = this.#arrivals.get(session.peer);
    this.#arrivals.delete(session.peer);
    for (const arrived of arrivals ?? []) arrived(session);
    return replaced;
  }

  /** The session takes no more messages. */
  leave(session: FramedSession): void {
    if (this.#byPeer.get(session.peer) === session) this.#byPeer.delete(session.peer);
  }

  /** The session is over. */
  remove(session: FramedSession): void {
    this.#all.delete(session);
  }

  /** Call `arrived` once when a session with this peer is there. Returns a function that stops waiting. */
  whenAdded(peer: NodeId, arrived: (session: FramedSession) => void): () => void {
    const waiting = this.#arrivals.get(peer) ?? new Set();
    waiting.add(arrived);
    this.#arrivals.set(peer, waiting);
    return () => {
      waiting.delete(arrived);
      if (waiting.size === 0 && this.#arrivals.get(peer) === waiting) this.#arrivals.delete(peer);
    };
  }
}
