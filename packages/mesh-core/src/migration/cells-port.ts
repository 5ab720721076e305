/** What the migration coordinator and the links ask of whoever hosts agents on this node. */
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { HostPort } from "@glia-os/abi/ports";
import type { JoinedBytes } from "../codec/joined-bytes.ts";
import type { LinkId, LinkOffer } from "../links/link-table.ts";

/** Where an agent went: what its former host answers from then on. */
export interface Moved {
  readonly agent: AgentId;
  readonly epoch: Epoch;
  readonly owner: NodeId;
  /** The owner's address, when the former host knows it. */
  readonly address: HostPort | undefined;
}

/** What the destination must know before the first byte of state. */
export interface AgentDescription {
  /** The epoch under which the agent runs here. */
  readonly epoch: Epoch;
  /** Opaque to the mesh: program hash, limits, grants, name. At most 16 MiB less 4 KiB, so that it may hold the program. */
  readonly meta: Uint8Array;
  /** Whether it stands still by request, so that it is to stand still where it goes, too. */
  readonly suspended?: boolean;
  /** About how many bytes the snapshot will have. */
  readonly estimatedBytes: number;
}

/**
 * A pull source of snapshot bytes: chunks of 1 byte to 1 MiB, then undefined. The next chunk is asked for when there is room for it. `taken`, where
 * whoever asks knows: resolves when all chunks so far were taken (MA3).
 */
export type ChunkSource = (taken?: () => Promise<unknown>) => Promise<Uint8Array | undefined>;

/** The same, in parts where that saves a copy. */
export type PieceSource = (...args: Parameters<ChunkSource>) => Promise<Uint8Array | JoinedBytes | undefined>;

/**
 * Reading agents out while they run, so that they stand still only for what they changed last.
 *
 * PC1. What `begin` hands out is the first part of one stream; what `freeze` hands out is the rest of it. Without `begin` a stream has no first part.
 * PC2. The agent runs on, and changes what it likes: what was read out before is read out again in a later round, or by `freeze`.
 */
export interface PreCopyCells {
  /**
   * Begin, for an agent with at least `leastBytes` of memory. The source ends when another round would not leave less for the freeze.
   * Undefined when the agent is smaller or cannot be read out while it runs: then it is only stopped and copied.
   */
  begin(agent: AgentId, leastBytes: number): Promise<PieceSource | undefined>;
  /** The move is off before the freeze: what was read out is worth nothing. Idempotent. */
  giveUp(agent: AgentId): Promise<void>;
}

/** What the source of a post-copy hands out at once, and whether the destination has said that it has everything. */
export interface PagesAnswer {
  /** At most 1 MiB; none when there is nothing to send before the destination says something. */
  readonly bytes: Uint8Array;
  readonly done: boolean;
}

/** The pages of an agent that runs here while they are on their way (docs/spec/postcopy.md). */
export interface IncomingPages {
  /** Settles when the agent is whole, or when it never will be: then it rejects, and the agent is not here any more. */
  readonly whole: Promise<void>;
  /** Called when there is something to say to the source. */
  onSaid: (() => void) | undefined;
  /** What is to be said to the source, and was not said yet; at most 64 KiB. Empty when there is nothing. */
  said(): Uint8Array;
  /** The next bytes of the source; resolves with whether everything is there. Rejects when they are wrong: then the agent is lost. */
  take(bytes: Uint8Array): Promise<boolean>;
  /** No more bytes come: unless everything is there the agent is lost. Idempotent. */
  lose(why: string): void;
}

/**
 * Agents that run at their destination before their memory is there.
 *
 * PP1. What `begin` hands out and what `freeze` hands out after it are one stream without the pages, which `serve` hands out afterwards.
 * PP2. Pages are kept under the id of the move from `begin` until `release`, whatever becomes of the agent here.
 */
export interface PostCopyCells {
  /**
   * Source: begin, with rounds while the agent runs if `rounds`. Undefined for an agent that stands still: it is best copied as it is. Rejects for one
   * that cannot move so.
   */
  begin(agent: AgentId, move: string, rounds: boolean): Promise<PieceSource | undefined>;
  /** Source: what the destination said, in order; what it gets next. Rejects when it said what cannot be. */
  serve(move: string, said: Uint8Array): Promise<PagesAnswer>;
  /** Source: the pages are of no use any more. Idempotent. */
  release(move: string): Promise<void>;
  /** Destination: what is on its way to an agent that was staged, or runs; undefined when it is whole. */
  incoming(agent: AgentId): IncomingPages | undefined;
}

/**
 * Moving agents in and out of this node. Each call is made at most once at a time per agent.
 *
 * MC1. Between a resolved `freeze` and `thaw` or `retire` the agent runs no instruction, accepts no message and has no effect.
 * MC2. A staged agent runs nothing before `activate`.
 * MC3. What `freeze` reads out holds everything: memory, mailbox, {@link LinkTable}, timers, capabilities, pending call.
 */
export interface MigratableCells {
  /** The agent as it runs here; undefined when it does not. */
  describe(agent: AgentId): AgentDescription | undefined;
  /** Whether this node would take the agent. Throwing refuses the move before anything is frozen. */
  admit(agent: AgentId, meta: Uint8Array, estimatedBytes: number): Promise<void>;
  /** Reading agents out while they run; without it every move is stop-and-copy. */
  readonly precopy?: PreCopyCells;
  /** Running agents before their memory is there; without it such moves are refused. */
  readonly postcopy?: PostCopyCells;
  /** Stop the agent at its next yield point and hand out its state (MC1, MC3). */
  freeze(agent: AgentId): Promise<ChunkSource>;
  /**
   * All of a frozen agent is on its way to `moved.owner`: from now on its messages may be answered with `moved`, under the epoch that it had, until
   * `thaw` or `retire`, if this says so. Its destination takes them before it runs there, and acknowledges them when it does.
   */
  leaving?(moved: Moved): boolean;
  /** Go on where the agent was frozen, under `epoch`. */
  thaw(agent: AgentId, epoch: Epoch): Promise<void>;
  /** Drop the frozen agent; answer its messages with `moved` from now on. */
  retire(agent: AgentId, moved: Moved): Promise<void>;
  /** Build the agent from `chunks` without running it (MC2); resolves when it is complete and valid, rejects when it is not. */
  stage(agent: AgentId, meta: Uint8Array, chunks: ChunkSource): Promise<void>;
  /** Run the staged agent under `epoch`. */
  activate(agent: AgentId, epoch: Epoch): Promise<void>;
  /** Drop a staged agent, or one that is being staged. Idempotent. */
  discard(agent: AgentId): Promise<void>;
}

/** One message of a link, as its receiving agent gets it. */
export interface LinkMessage {
  readonly agent: AgentId;
  readonly link: LinkId;
  /** From 1, no gaps. */
  readonly seq: number;
  /** The sender has the replies to all asks below this number. */
  readonly floor: number;
  /** Whether the sender waits for a reply. */
  readonly ask: boolean;
  readonly payload: Uint8Array;
  /** The node the sender is on: where a reply goes first. */
  readonly from: NodeId;
}

/** The answer to a {@link LinkMessage}: the table's verdict, or why the agent cannot be asked. */
export type LinkVerdict =
  | (LinkOffer & {
      /**
       * For an agent whose messages are kept on a disk: when all that it accepted until now is there. The answer waits for it; when it is
       * rejected, nothing was kept and the sender tries again. Default: what is accepted counts at once.
       */
      readonly kept?: Promise<unknown>;
    })
  /** Frozen, starting or no room in the mailbox: the sender tries again after `retryAfterMs` (1 to 10,000). */
  | { readonly kind: "retry"; readonly retryAfterMs: number }
  | ({ readonly kind: "moved" } & Moved)
  | { readonly kind: "unknown-agent" };

/** The agents of one node, as the mesh sees them. */
export interface MeshCells extends MigratableCells {
  /**
   * Offer one message to an agent of this node. Synchronous: an `accepted` message is in the agent's mailbox when this returns.
   * Messages of one link are offered in the order of their numbers; after a verdict other than `accepted` or `duplicate` the rest
   * of a batch is not offered.
   */
  deliver(message: LinkMessage): LinkVerdict;
  /** The sender of a link is done with it. */
  linkClosed(agent: AgentId, link: LinkId): void;
}
