/**
 * The two halves of a cell. The **gate** lives with the mesh: it judges messages by the link table and owns the lifecycle. The **runner**
 * lives with the kernel, usually on another thread: it owns the mailbox and the guest. They talk through the two interfaces here.
 *
 * RP1. Calls of one side reach the other in the order they were made; so every message delivered before `freeze` is in the frozen mailbox.
 * RP2. Every delivered message is either taken by the guest (`taken`), or read out by `freeze`, or dropped with the cell (`ended`).
 * RP3. A reply made before `freeze` resolves is reported before `freeze` resolves.
 * RP5. `readImage` may be asked for behind a `freeze` that is not answered yet: it waits for it, and fails if that fails.
 * RP4. An image that was begun by `readAhead` is gone on with by `readImage`: both together are one image. The cell runs until `freeze`.
 */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { LinkId } from "@glia-os/mesh-core";
import type { AgentManifest, ProgramKind } from "./agent-manifest.ts";

/** A message in a cell's mailbox. */
export interface MailItem {
  readonly link: LinkId;
  readonly seq: number;
  /** Whether the sender waits for a reply. */
  readonly ask: boolean;
  /** The sender's node: where the reply goes. */
  readonly from: NodeId;
  readonly payload: Uint8Array;
}

/** The asker of the message that the guest handles at the moment. */
export type Asker = Pick<MailItem, "link" | "seq" | "from">;

/** What a runner hands out of a frozen cell besides the guest's image. */
export interface FrozenMail {
  /** Messages the guest has not received, oldest first. */
  readonly mailbox: readonly MailItem[];
  /** Whom a reply of the guest would go to, if it has not replied yet. */
  readonly asker: Asker | undefined;
  /** Messages the guest received so far in its life. */
  readonly received: number;
  /** Milliseconds a pending sleep still has to go. */
  readonly sleepMs: number | undefined;
}

/** How a cell ended by itself. */
export type CellEnd =
  | { readonly kind: "finished"; readonly status: number }
  /** `lost`: the rest of it did not come (docs/spec/postcopy.md). Nothing of it was acknowledged here that its replica does not have. */
  | { readonly kind: "failed"; readonly message: string; readonly lost?: true };

/** Numbers about a running cell. */
export interface CellVitals {
  /** Messages the guest received so far in its life. */
  readonly received: number;
  /** Messages waiting. */
  readonly waiting: number;
  /** Linear memory in bytes. */
  readonly memoryBytes: number;
  /** SHA-256 of the program that it runs now, as hexadecimal. */
  readonly programHash?: string;
}

/** What the gate asks of the runner. */
export interface CellRunnerPort {
  /** Check a program without running any of it; resolves with its SHA-256. @throws the engine's typed refusals. */
  admit(program: Uint8Array, grants: readonly string[], kind?: ProgramKind): Promise<string>;
  /** Run a new cell. `first`: a message that is kept with its beginning, for cells whose messages are kept. */
  start(agent: AgentId, manifest: AgentManifest, first?: Uint8Array): Promise<void>;
  /** Put a message into the mailbox. One-way. */
  deliver(agent: AgentId, item: MailItem): void;
  /**
   * Stop at the next blocking call; a cell that stands still already hands out its mail with what came since. `leaves` (default true): what
   * cannot move refuses. @throws {NoYieldError} after `timeoutMs`; the cell then goes on.
   */
  freeze(agent: AgentId, timeoutMs: number, leaves?: boolean): Promise<FrozenMail>;
  /**
   * The next piece, at most 1 MiB, of the image of a cell that runs (RP4); undefined when the rest is best read frozen. Undefined at once for a cell
   * with less than `leastBytes` of memory, and for one that cannot be read while it runs.
   */
  readAhead(agent: AgentId, leastBytes: number): Promise<Uint8Array | undefined>;
  /** Forget what was read ahead. Idempotent. */
  stopAhead(agent: AgentId): Promise<void>;
  /** The next chunk of a frozen cell's image, at most 1 MiB; undefined after the last. */
  readImage(agent: AgentId): Promise<Uint8Array | undefined>;
  /** Go on with a frozen cell, or with one that was built and has not run. */
  thaw(agent: AgentId): Promise<void>;
  /** Make room for a cell whose image is to come: everything of it that needs no byte of the image. @throws what `admit` refuses, {AlreadyHereError} */
  expect(agent: AgentId, manifest: AgentManifest): Promise<void>;
  /** The image of a cell that is expected begins; `ahead` says whether it was begun while the cell ran (RP4). */
  stage(agent: AgentId, ahead: boolean): Promise<void>;
  /** The next chunk of the image. Its bytes, and what lies before them in their buffer, are the runner's from then on. */
  writeImage(agent: AgentId, chunk: Uint8Array): Promise<void>;
  /** Check the image and build the cell, with its mail, without running it. */
  finishImage(agent: AgentId, mail: FrozenMail): Promise<void>;
  /** Run a cell that was built. */
  activate(agent: AgentId): Promise<void>;
  /** Drop a cell in whatever state, also one that `expect` still makes room for; waits until nothing of it runs. Idempotent. */
  drop(agent: AgentId): Promise<void>;
  /** Numbers about a cell, or undefined when it is not here. */
  vitals(agent: AgentId): Promise<CellVitals | undefined>;
}

/** What the runner tells the gate. */
export interface CellGatePort {
  /** The guest received messages: `count` of them with `bytes` of payload left the mailbox. */
  taken(agent: AgentId, count: number, bytes: number): void;
  /** The guest replied. */
  replied(agent: AgentId, asker: Asker, payload: Uint8Array): void;
  /** The cell ended by itself. */
  ended(agent: AgentId, end: CellEnd): void;
}
