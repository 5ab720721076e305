/** Two processes whose domains send one another messages; each step of either can be its last. */
import type { Journal, JournalBatch } from "@glia-os/abi/ports";
import {
  type Delivery,
  Domains,
  DomainUnknownError,
  type DurableProgram,
  type DurableService,
  type MailCarrier,
  PostOffice,
  type Receipt,
} from "@glia-os/durable";
import { createSystemDigests } from "@glia-os/hal";
import type { Service } from "@glia-os/kernel/services";
import { SeededRandom } from "@glia-os/kernel/testing";
import { createMemoryJournal } from "@glia-os/store/journal-memory";
import { TestTime } from "./durable-world.ts";

/** Where a process dies: before or after its step of this number. */
export interface Death {
  /** Whose step it is. */
  readonly at: string;
  readonly step: number;
  readonly when: "before" | "after";
  /** All processes die then. */
  readonly all: boolean;
}

class DiedError extends RangeError {}

/** One process: its journal outlives it. */
export class MailProcess {
  readonly name: string;
  readonly disk: Journal = createMemoryJournal();
  domains!: Domains;
  steps = 0;
  #life = 0;
  readonly #world: MailWorld;

  constructor(world: MailWorld, name: string) {
    this.#world = world;
    this.name = name;
  }

  /** End without a word, and begin again with what is on the disk. */
  async live(): Promise<void> {
    this.#life += 1;
    const life = this.#life;
    void this.domains?.close();
    const { timers, clock } = this.#world.time;
    const elsewhere = this.#world.carrierOf(this, () => this.#life === life);
    const post = new PostOffice({ timers, elsewhere });
    this.domains = new Domains({
      journal: this.#journalOf(life),
      clock,
      timers,
      random: new SeededRandom(`${this.name}${life}`),
      digests: createSystemDigests(),
      programs: this.#world.programs,
      services: {
        ...this.#world.services,
        mail: { ...post.service, service: this.#world.guard(post.service.service) },
      },
      historyBytes: 0,
      post,
    });
    await this.domains.recover();
  }

  /** Take a step, unless this is where the process dies. */
  step<Result>(act: () => Promise<Result>): Promise<Result> {
    const { death } = this.#world;
    this.steps += 1;
    const isLast = death?.at === this.name && death.step === this.steps;
    if (!isLast) return act();
    this.#world.death = undefined;
    const die = (): Promise<never> => {
      for (const each of death.all ? this.#world.processes : [this]) each.die();
      return Promise.reject(new DiedError());
    };
    return death.when === "before" ? die() : act().then(die);
  }

  /** Nothing it does from here on reaches anybody. */
  die(): void {
    this.#world.died.add(this);
    this.#life += 1;
  }

  /** A journal for one life: what a dead process writes reaches no disk. */
  #journalOf(life: number): Journal {
    const { disk } = this;
    const append = (batch: JournalBatch): Promise<void> =>
      this.#life === life ? this.step(() => disk.append(batch)) : Promise.reject(new DiedError());
    return new Proxy(disk, {
      get: (target, key) => {
        const found: unknown = key === "append" ? append : Reflect.get(target, key);
        return typeof found === "function" ? (found as () => unknown).bind(target) : found;
      },
    });
  }
}

/** The processes and what is between them. */
export class MailWorld {
  readonly time: TestTime = new TestTime();
  readonly programs: readonly DurableProgram[];
  readonly processes: readonly MailProcess[];
  /** Processes that are dead. */
  readonly died = new Set<MailProcess>();
  death: Death | undefined;
  /** Deliveries that were made, to be made again by who wants to. */
  readonly delivered: { readonly by: MailProcess; readonly delivery: Delivery }[] = [];

  readonly services: Readonly<Record<string, DurableService>>;
  /** What stands between a program and the service `mail`. */
  readonly guard: (service: Service) => Service;

  constructor(
    programs: readonly DurableProgram[],
    names: readonly string[],
    services: Readonly<Record<string, DurableService>> = {},
    guard = (service: Service): Service => service,
  ) {
    this.programs = programs;
    this.services = services;
    this.guard = guard;
    this.processes = names.map((name) => new MailProcess(this, name));
  }

  /** The way from one process to the others: it ends when either is dead. */
  carrierOf(process: MailProcess, isAlive: () => boolean): MailCarrier {
    const others = (): readonly MailProcess[] => this.processes.filter((each) => each !== process);
    const deliver = async (delivery: Delivery): Promise<Receipt> => {
      if (!isAlive()) throw new DiedError();
      this.delivered.push({ by: process, delivery });
      const [other] = others();
      if (other === undefined)
        return { accepted: 0, state: "ok", token: 0, refusal: new DomainUnknownError(delivery.to) };
      if (this.died.has(other)) throw new DiedError();
      const receipt = await process.step(() => other.step(() => other.domains.deliver(delivery)));
      if (!isAlive() || this.died.has(other)) throw new DiedError();
      return receipt;
    };
    const settled = (from: string, to: string, number: number): void => {
      for (const each of others()) if (isAlive()) each.domains.settled(from, to, number);
    };
    return { deliver, settled };
  }

  /** Let time pass, and who died live again, until something holds. */
  async until(holds: () => boolean): Promise<void> {
    for (let turn = 0; turn < 5_000; turn++) {
      if (holds()) return;
      for (const process of [...this.died]) {
        this.died.delete(process);
        await process.live();
      }
      this.time.pass(7);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    throw new RangeError("it never held");
  }
}
