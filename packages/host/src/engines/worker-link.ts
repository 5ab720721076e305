/** What one worker thread shares with the main thread and with the other workers, and how it gets their attention. */
import type { MessagePort } from "node:worker_threads";
import { BudgetPlace } from "./cpu-budget.ts";
import * as at from "./job-memory.ts";
import type { FromWorker, WorkerSetup } from "./threaded-messages.ts";
import { WorkFinder } from "./work-finder.ts";
import { pickSleeper } from "./work-queues.ts";

/** One worker's end. */
export class WorkerLink {
  readonly self: number;
  readonly memory: at.JobMemory;
  /** Where this worker's words begin. */
  readonly mine: number;
  readonly place: BudgetPlace;
  readonly finder: WorkFinder;
  readonly payloadBytes: number;
  readonly port: MessagePort;
  readonly #places: readonly BudgetPlace[];
  #nextBlock = 0;

  constructor(setup: WorkerSetup) {
    this.self = setup.worker;
    this.memory = new at.JobMemory(setup.memory);
    this.mine = this.memory.worker(setup.worker);
    this.place = new BudgetPlace(setup.budget, setup.place);
    this.finder = new WorkFinder(this.memory, setup.worker, (n) => Math.floor(Math.random() * n));
    this.payloadBytes = setup.payloadBytes;
    this.port = setup.port;
    this.#places = setup.places.map((id) => new BudgetPlace(setup.budget, id));
  }

  /** Take one of this worker's blocks; -1 when all are used. */
  takeBlock(): number {
    const { words } = this.memory;
    for (let looked = 0; looked < at.WORKER_BLOCKS; looked++) {
      const index = this.#nextBlock;
      this.#nextBlock = (index + 1) % at.WORKER_BLOCKS;
      const word = this.mine + at.BLOCKS_USED + index;
      if (Atomics.load(words, word) !== 0) continue;
      Atomics.store(words, word, 1);
      return this.memory.workerBlock(this.self, index);
    }
    return -1;
  }

  tell(message: FromWorker): void {
    this.port.postMessage(message);
  }

  /**
   * Tell the main thread to look. Only who took its LISTENING away rings: were the bell moved first, the main thread could read the moved
   * bell, listen, lose LISTENING to this call and then wait for a ring that nobody makes. The first look spares the others a cache line
   * while the main thread looks by itself.
   */
  ring(): void {
    const { words } = this.memory;
    if (Atomics.load(words, at.LISTENING) === 0 || Atomics.exchange(words, at.LISTENING, 0) !== 1) return;
    Atomics.add(words, at.DOORBELL, 1);
    Atomics.notify(words, at.DOORBELL);
  }

  /** Wake a worker for work that this one leaves to others. */
  wakeHelp(): void {
    const sleeper = pickSleeper(this.memory);
    if (sleeper >= 0) this.#places[sleeper]!.wake();
  }
}
