/** What a job that runs in a worker thread knows of itself, and how it hands on others. */
import {
  type Encoded,
  encode,
  type JobNames,
  namesBytes,
  readNames,
  writeNames,
  writeValue,
} from "./codec.ts";
import { checkEnvelope, type JobContext } from "./envelope.ts";
import { EngineFullError, JobNotSerialisableError, JobOverError, UnknownEntryError } from "./errors.ts";
import * as at from "./job-memory.ts";
import type { WorkerLink } from "./worker-link.ts";

/** Longest wait for the main thread to lend slots, in milliseconds, and how often it is asked in that time. */
const LEND_MS = 200;
const LEND_TRIES = 10;

const entryNumbers = new Map<string, number>();

function entryNumber(memory: at.JobMemory, name: string): number {
  const known = entryNumbers.get(name);
  if (known !== undefined) return known;
  const count = Atomics.load(memory.words, at.ENTRY_COUNT);
  for (let i = 0; i < count; i++) {
    if (memory.readEntry(i) !== name) continue;
    entryNumbers.set(name, i);
    return i;
  }
  throw new UnknownEntryError(name);
}

/** The context of one job. */
export class RunningJob implements JobContext {
  over = false;
  #names: JobNames | undefined;
  #children = 0;
  readonly #link: WorkerLink;
  readonly #bytes: Uint8Array;
  readonly #at: number;

  /** `bytes` holds the job's names at `from`. */
  constructor(link: WorkerLink, bytes: Uint8Array, from: number) {
    this.#link = link;
    this.#bytes = bytes;
    this.#at = from;
  }

  /** Read the names while the slot still holds them. */
  names(): JobNames {
    return (this.#names ??= this.over
      ? { id: "", origin: "", lineage: [] }
      : readNames(this.#bytes, this.#at));
  }

  get id(): string {
    return this.names().id;
  }

  get origin(): string {
    return this.names().origin;
  }

  get lineage(): readonly string[] {
    return this.names().lineage;
  }

  handOn(entry: string, payload: unknown): string {
    const { id, origin, lineage } = this.names();
    if (this.over) throw new JobOverError(id);
    const child = { id: `${id}/${this.#children}`, origin, lineage: [...lineage, id], entry, payload };
    checkEnvelope(child);
    const { memory } = this.#link;
    const number = entryNumber(memory, entry);
    const value = encode(payload, "the payload");
    const length = namesBytes(child) + value.length;
    if (length > Math.max(memory.slotBytes, at.BLOCK_BYTES))
      throw new JobNotSerialisableError(
        "the payload",
        `a job that is handed on has at most ${at.BLOCK_BYTES} bytes with its names, and this one ${length}`,
      );
    const block = length > memory.slotBytes ? this.#link.takeBlock() : -1;
    if (length > memory.slotBytes && block < 0) throw new EngineFullError(child.id, at.WORKER_BLOCKS);
    const slot = lentSlot(this.#link, child.id, block);
    queueChild(this.#link, { names: child, entry: number, value, slot, block });
    this.#children++;
    return child.id;
  }
}

/** A slot the main thread lent to this worker. @throws {EngineFullError} */
function lentSlot(link: WorkerLink, id: string, block: number): number {
  const { memory, mine, self } = link;
  const { words } = memory;
  for (let tries = 0; tries < LEND_TRIES; tries++) {
    const ticket = Atomics.load(words, mine + at.MAIL);
    const head = Atomics.load(words, mine + at.LENT_HEAD);
    if (head !== Atomics.load(words, mine + at.LENT_TAIL)) {
      const slot = Atomics.load(words, memory.lentEntry(self, head));
      Atomics.store(words, mine + at.LENT_HEAD, (head + 1) | 0);
      return slot;
    }
    link.ring();
    Atomics.wait(words, mine + at.MAIL, ticket, LEND_MS);
  }
  if (block >= 0) Atomics.store(words, memory.blockUsed(block), 0);
  throw new EngineFullError(id, memory.slots);
}

/** A job that is handed on, and where it goes. */
interface Child {
  readonly names: JobNames;
  /** The number of its entry. */
  readonly entry: number;
  readonly value: Encoded;
  readonly slot: number;
  /** -1: its bytes fit the slot. */
  readonly block: number;
}

function queueChild(link: WorkerLink, { names, entry, value, slot, block }: Child): void {
  const { memory } = link;
  const { words } = memory;
  const base = memory.slot(slot);
  const begin = block < 0 ? memory.jobAt(slot) : memory.blockAt(block);
  const end = writeNames(memory.bytes, begin, names);
  writeValue(memory.bytes, end, value);
  words[base + at.ENTRY] = entry;
  words[base + at.NAMES_LENGTH] = end - begin;
  words[base + at.FORM] = value.form;
  words[base + at.LENGTH] = value.length;
  words[base + at.FLAGS] = block < 0 ? at.HANDED_ON : at.HANDED_ON | at.BLOCKED;
  words[base + at.BLOCK] = block;
  memory.numbers[(base + at.NUMBER) >> 1] = value.number;
  Atomics.store(words, base + at.STATE, at.QUEUED);
  if (link.finder.handOn(slot)) link.ring();
  link.wakeHelp();
}
