/**
 * Requests to a server, gathered while an earlier group is under way and then performed together.
 *
 * Q1. Groups are performed one after the other, and answered in the order of their requests.
 * Q2. At most `queueLimit` requests wait, and not more than {@link QUEUE_BYTES} in them; the next one is refused before it is sent.
 * Q3. When the server cannot be reached every waiting request is refused at once, so nobody waits for more than the group under way
 *     and one attempt to connect.
 * Q4. `end` answers what was asked before it.
 */
import { type ErrorRecord, toErrorRecord } from "@glia-os/abi/errors";
import { QueueFullError, reviveError, StoreClosedError } from "../errors.ts";
import type { Answer } from "../serve.ts";
import { type Load, QUEUE_BYTES } from "../worker-link.ts";
import { EngineUnreachableError } from "./errors.ts";

/** Performs groups. */
export interface GroupPerformer<Request, Reply> {
  /** How many of the first requests make the next group; at least one. */
  groupOf(requests: readonly Request[]): number;
  /** Perform a group; what it changed is durable when the promise resolves. @throws the refusal of all of them. */
  perform(requests: readonly Request[]): Promise<readonly Answer<Reply>[]>;
  /** Release the connection. */
  close(): Promise<void>;
}

interface Waiting<Request, Reply> {
  readonly request: Request;
  readonly bytes: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (reason: unknown) => void;
}

/** The most requests of one group. */
export const GROUP_MOST = 256;

/** A queue before one performer. */
export class GroupQueue<Request, Reply> {
  readonly #performer: GroupPerformer<Request, Reply>;
  readonly #queueLimit: number;
  readonly #load: Load<Request>;
  #waiting: Waiting<Request, Reply>[] = [];
  #bytes = 0;
  #running: Promise<void> | undefined;
  #ending: Promise<void> | undefined;

  constructor(performer: GroupPerformer<Request, Reply>, queueLimit: number, load: Load<Request>) {
    this.#performer = performer;
    this.#queueLimit = queueLimit;
    this.#load = load;
  }

  /** Answer one request; refused when the store is closed or its queue full. */
  async ask(request: Request): Promise<Reply> {
    if (this.#ending !== undefined) throw new StoreClosedError();
    if (this.#waiting.length >= this.#queueLimit) throw new QueueFullError(this.#queueLimit);
    const bytes = this.#load.bytesOf(request)?.length ?? 0;
    if (this.#bytes > 0 && this.#bytes + bytes > QUEUE_BYTES) throw new QueueFullError(QUEUE_BYTES, "bytes");
    return new Promise((resolve, reject) => {
      this.#bytes += bytes;
      this.#waiting.push({ request, bytes, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Finish the requests under way and release the connection. Idempotent. */
  end(): Promise<void> {
    this.#ending ??= (this.#running ?? Promise.resolve()).then(() => this.#performer.close());
    return this.#ending;
  }

  async #run(): Promise<void> {
    // Requests asked in one turn of the loop share the first group.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const requests = this.#waiting.slice(0, GROUP_MOST).map(({ request }) => request);
      const group = requests.slice(0, this.#performer.groupOf(requests));
      try {
        this.#settle(await this.#performer.perform(group));
      } catch (error) {
        const refused = toErrorRecord(error);
        const unreachable = error instanceof EngineUnreachableError;
        this.#settle(refuseAll(unreachable ? this.#waiting.length : group.length, refused));
      }
    }
    this.#running = undefined;
  }

  #settle(answers: readonly Answer<Reply>[]): void {
    const settled = this.#waiting.splice(0, answers.length);
    for (const [i, { bytes, resolve, reject }] of settled.entries()) {
      this.#bytes -= bytes;
      const answer = answers[i] as Answer<Reply>;
      if ("refused" in answer) reject(reviveError(answer.refused));
      else resolve(answer.reply);
    }
  }
}

function refuseAll(count: number, refused: ErrorRecord): readonly { readonly refused: ErrorRecord }[] {
  return Array.from({ length: count }, () => ({ refused }));
}
