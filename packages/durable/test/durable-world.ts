/** A world for durable domains in tests: a clock and timers that the test moves, a journal in memory, services it settles. */
import type { CancelSignal, Clock, Journal, Timers } from "@glia-os/abi/ports";
import { Domains, type DomainsOptions, type DurableProgram, type DurableService } from "@glia-os/durable";
import { createSystemDigests } from "@glia-os/hal";
import { toolService } from "@glia-os/kernel/services";
import { SeededRandom } from "@glia-os/kernel/testing";
import { createMemoryJournal } from "@glia-os/store/journal-memory";

interface Timer {
  readonly at: number;
  readonly fire: () => void;
}

/** Time that passes when the test says so. */
export class TestTime {
  nowMs = 1_000_000;
  readonly #timers = new Set<Timer>();

  readonly clock: Clock = { monotonicMs: () => this.nowMs, wallMs: () => this.nowMs };
  readonly timers: Timers = {
    schedule: (delayMs: number, fire: () => void) => {
      const timer = { at: this.nowMs + delayMs, fire };
      this.#timers.add(timer);
      return { cancel: () => void this.#timers.delete(timer) };
    },
  };

  /** Let time pass and fire what is due, in order. */
  pass(ms: number): void {
    const end = this.nowMs + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.nowMs = Math.max(this.nowMs, next.at);
      next.fire();
    }
    this.nowMs = end;
  }
}

/** One performed call of a test's service. */
export interface Performed {
  readonly input: unknown;
  readonly key: string;
}

/** A process that can die and start again on the same journal. */
export class TestWorld {
  readonly journal: Journal;
  readonly time: TestTime = new TestTime();
  readonly performed: Performed[] = [];
  readonly programs: readonly DurableProgram[];
  readonly services: Readonly<Record<string, DurableService>>;
  readonly more: Partial<DomainsOptions>;
  domains: Domains;

  constructor(
    programs: readonly DurableProgram[],
    services: Readonly<Record<string, DurableService>> = {},
    journal: Journal = createMemoryJournal(),
    more: Partial<DomainsOptions> = {},
  ) {
    this.more = more;
    this.journal = journal;
    this.programs = programs;
    this.services = { echo: { service: this.#echo() }, ...services };
    this.domains = this.#make(programs);
  }

  /** The process ends without a word; another one starts, with these programs. */
  restart(programs: readonly DurableProgram[] = this.programs): Domains {
    void this.domains.close();
    this.domains = this.#make(programs);
    return this.domains;
  }

  /** Let what is under way go on until something holds. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    for (let turn = 0; turn < 10_000; turn++) {
      if (await holds()) return;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    throw new RangeError("it never held");
  }

  #make(programs: readonly DurableProgram[]): Domains {
    const { journal, services } = this;
    const { clock, timers } = this.time;
    return new Domains({
      journal,
      clock,
      timers,
      random: new SeededRandom("test"),
      digests: createSystemDigests(),
      programs,
      services,
      ...this.more,
    });
  }

  #echo(): DurableService["service"] {
    const run = async (input: unknown, _cancel: CancelSignal, key: string): Promise<unknown> => {
      this.performed.push({ input, key });
      return input;
    };
    return toolService({ run }, { name: "echo" });
  }
}
