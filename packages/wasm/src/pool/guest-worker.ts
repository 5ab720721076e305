/**
 * The thread of a pool that runs guests: takes commands between turns, and tells what happened in batches.
 *
 * GW1. Commands are looked for after every turn, so that one is seen within the longest turn, whatever guests do.
 * GW2. The thread's event loop gets its turn every two milliseconds or so; without work the thread sleeps.
 * GW3. A refusal of the scheduler goes back to who asked, as data; nothing a command says ends the thread.
 */

import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { toErrorRecord } from "@glia-os/abi/errors";
import type { GuestNews } from "@glia-os/abi/ports";
import { createWasmEngine, type WasmEngine, type WasmProgram } from "../engine/engine.ts";
import { GuestUnknownError, ProgramUnknownError } from "../scheduler/errors.ts";
import { type GuestEnd, GuestScheduler } from "../scheduler/index.ts";
import { decodeSnapshot, encodeSnapshot } from "../snapshot/index.ts";
import { Heartbeat } from "../watchdog.ts";
import type { Command, EndRecord, Report, WorkerStart } from "./messages.ts";
import type { PoolSetup } from "./setup.ts";

/** How long turns go on before the event loop gets its own. */
const BUSY_MS = 2;
/** Reports that are sent at once instead of with the next batch. */
const MOST_REPORTS = 256;
/** The longest wait a timer takes. */
const TIMER_MS_MAX = 2 ** 31 - 1;
/** How many guests are put away at a time for having waited. */
const PUT_AWAY = 64;

/** Runs guests until its port is closed. */
export class GuestWorker {
  readonly #port: MessagePort;
  readonly #engine: WasmEngine;
  readonly #scheduler: GuestScheduler;
  #turnsBefore = 0;
  readonly #programs = new Map<string, WasmProgram>();
  /** The scheduler's number of each guest of the pool, and the other way round. */
  readonly #inside = new Map<number, number>();
  readonly #outside = new Map<number, number>();
  #reports: Report[] = [];
  #timer: NodeJS.Timeout | undefined;
  #turning = false;
  /** Commands performed since the last batch of reports. */
  #taken = 0;
  #admitting: Promise<void> | undefined;
  readonly #held: Command[] = [];

  constructor(port: MessagePort, start: WorkerStart, setup: PoolSetup) {
    this.#port = port;
    const { hostModules, answer } = setup;
    this.#engine = createWasmEngine(hostModules === undefined ? {} : { hostModules });
    this.#scheduler = new GuestScheduler({
      guests: start.guests,
      liveGuests: start.liveGuests,
      heartbeat: new Heartbeat(start.heartbeat),
      ...(answer === undefined ? {} : { answer: (guest, call) => answer(this.#pooled(guest), call) }),
      events: {
        replied: (_, token, payload) => this.#tell({ kind: "replied", token, payload }),
        unanswered: (_, token) => this.#tell({ kind: "unanswered", token, error: undefined }),
        logged: (guest, level, text) =>
          this.#tell({ kind: "logged", guest: this.#pooled(guest), level, text }),
        output: (guest, stream, bytes) =>
          this.#tell({ kind: "output", guest: this.#pooled(guest), stream, bytes }),
        ended: (guest, end) => this.#ended(guest, end),
        awake: () => this.#go(),
      },
    });
    port.on("message", (commands: Command[]) => {
      this.#take(commands);
      this.#go();
    });
    setInterval(() => this.#putAway(), start.idleMs).unref();
  }

  /** Turns, with a look for commands after each (GW1), until there is no work or the event loop is due. */
  #go(): void {
    if (this.#turning) return;
    // A turn may not come back: who asked for a guest knows its number before it runs.
    this.#flushAnswers();
    this.#turning = true;
    const started = performance.now();
    let busy = true;
    while (busy && performance.now() - started < BUSY_MS) {
      busy = this.#scheduler.turn();
      const waiting = receiveMessageOnPort(this.#port);
      if (waiting !== undefined) {
        this.#take(waiting.message as Command[]);
        this.#flushAnswers();
      }
      busy ||= this.#scheduler.ready;
    }
    this.#turning = false;
    this.#flush();
    if (busy) setImmediate(() => this.#go());
    else this.#sleep();
  }

  #sleep(): void {
    clearTimeout(this.#timer);
    const dueMs = this.#scheduler.nextDueMs;
    if (dueMs === undefined) return;
    const waitMs = Math.min(TIMER_MS_MAX, Math.max(0, dueMs - performance.now()));
    this.#timer = setTimeout(() => this.#go(), Math.ceil(waitMs));
  }

  /** Guests that have waited since the last time this was looked at. */
  #putAway(): void {
    const since = this.#turnsBefore;
    this.#turnsBefore = this.#scheduler.counts.turns;
    this.#putAwaySome(since);
  }

  #putAwaySome(since: number): void {
    const done = this.#scheduler.hibernateIdle(PUT_AWAY, since);
    this.#flush();
    if (done === PUT_AWAY) setImmediate(() => this.#putAwaySome(since));
  }

  /** Commands in order; those behind an admission wait for it. */
  #take(commands: readonly Command[]): void {
    for (const command of commands) {
      if (this.#admitting === undefined || command.kind === "ping") this.#perform(command);
      else this.#held.push(command);
    }
  }

  #perform(command: Command): void {
    this.#taken += 1;
    if (command.kind === "admit") {
      this.#admitting = this.#admit(command).finally(() => {
        this.#admitting = undefined;
        this.#take(this.#held.splice(0));
        this.#go();
      });
      return;
    }
    if (command.kind === "goOn") {
      this.#goOn(command);
      return;
    }
    try {
      const value = this.#outcomeOf(command);
      if (command.kind !== "post") this.#tell({ kind: "done", request: command.request, value });
    } catch (error) {
      const record = toErrorRecord(error);
      if (command.kind === "post") this.#tell({ kind: "unanswered", token: command.token, error: record });
      else this.#tell({ kind: "refused", request: command.request, error: record });
    }
  }

  async #admit({ request, name, bytes, grants }: Command & { kind: "admit" }): Promise<void> {
    try {
      this.#programs.set(name, await this.#engine.admit(bytes, grants));
      this.#tell({ kind: "done", request, value: 0 });
    } catch (error) {
      this.#tell({ kind: "refused", request, error: toErrorRecord(error) });
    }
  }

  /** Nothing happens when it has ended meanwhile: that was told. */
  #goOn({ guest, answer }: Command & { kind: "goOn" }): void {
    const inside = this.#inside.get(guest);
    if (inside !== undefined) this.#scheduler.goOn(inside, answer);
  }

  #outcomeOf(command: Exclude<Command, { kind: "admit" | "goOn" }>): (Report & { kind: "done" })["value"] {
    switch (command.kind) {
      case "spawn":
        return this.#spawn(command);
      case "attend":
        return this.#attend(command);
      case "post":
        this.#scheduler.post(this.#own(command.guest), command.payload, command.token);
        return 0;
      case "stop":
        this.#scheduler.stop(this.#own(command.guest));
        return 0;
      case "snapshot":
        return bytesOf(encodeSnapshot(this.#scheduler.image(this.#own(command.guest))));
      case "hibernate":
        return this.#scheduler.hibernateIdle(command.most);
      case "counts":
        return this.#scheduler.counts;
      case "ping":
        return 0;
    }
  }

  #spawn({ guest, program: name, options, snapshot }: Command & { kind: "spawn" }): number {
    const program = this.#program(name);
    return this.#seated(
      guest,
      snapshot === undefined
        ? this.#scheduler.spawn(program, options)
        : this.#scheduler.restore(program, decodeSnapshot(snapshot), options),
    );
  }

  #attend({ guest, program: name, placement }: Command & { kind: "attend" }): number {
    const { initial, names, leaseFuel, image, limits } = placement;
    const news = (news: GuestNews): void => this.#tell({ kind: "news", guest, news });
    const attendance = { initial, names, leaseFuel, news };
    return this.#seated(guest, this.#scheduler.attend(this.#program(name), attendance, image, { limits }));
  }

  #program(name: string): WasmProgram {
    const program = this.#programs.get(name);
    if (program === undefined) throw new ProgramUnknownError(name, "is not admitted here");
    return program;
  }

  #seated(guest: number, inside: number): number {
    this.#inside.set(guest, inside);
    this.#outside.set(inside, guest);
    return inside;
  }

  #own(guest: number): number {
    const inside = this.#inside.get(guest);
    if (inside === undefined) throw new GuestUnknownError(guest);
    return inside;
  }

  #pooled(inside: number): number {
    return this.#outside.get(inside) ?? 0;
  }

  #ended(inside: number, end: GuestEnd): void {
    const guest = this.#pooled(inside);
    this.#outside.delete(inside);
    this.#inside.delete(guest);
    this.#tell({ kind: "ended", guest, end: recordOf(end) });
  }

  #tell(report: Report): void {
    this.#reports.push(report);
    if (this.#reports.length >= MOST_REPORTS) this.#flush();
  }

  #flushAnswers(): void {
    if (this.#reports.some(({ kind }) => kind === "done")) this.#flush();
  }

  #flush(): void {
    if (this.#reports.length === 0 && this.#taken === 0) return;
    const reports = this.#reports;
    if (this.#taken > 0) reports.push({ kind: "taken", commands: this.#taken });
    this.#taken = 0;
    this.#reports = [];
    this.#port.postMessage(reports);
  }
}

function recordOf(end: GuestEnd): EndRecord {
  return end.kind === "failed" ? { kind: "failed", error: toErrorRecord(end.error) } : end;
}

function bytesOf(pieces: Iterable<Uint8Array>): Uint8Array {
  return new Uint8Array(Buffer.concat([...pieces]));
}
