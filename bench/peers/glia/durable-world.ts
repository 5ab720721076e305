/** Durable domains on a journal in a temporary folder, with services that answer as many calls as they are told to. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Journal } from "@glia-os/abi/ports";
import { Domains, type DurableProgram, type DurableService } from "@glia-os/durable";
import { createSystemClock, createSystemDigests, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import type { Settle } from "@glia-os/kernel";
import type { ServiceKind } from "@glia-os/kernel/services";

/** Domains of this process on a journal. */
export function domainsOn(
  journal: Journal,
  programs: readonly DurableProgram[],
  services: Readonly<Record<string, DurableService>> = {},
): Domains {
  const [clock, timers] = [createSystemClock(), createSystemTimers()];
  const [random, digests] = [createSystemRandom(), createSystemDigests()];
  return new Domains({ journal, clock, timers, random, digests, programs, services });
}

/** A folder for a journal, and how to remove it. */
export function journalFolder(): { readonly folder: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "glia-bench-"));
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

/**
 * Answers `allow` calls and holds those that come after them. A durable domain makes its next call only when the outcome of the one before
 * is flushed, so when every caller is held, exactly as many steps as were allowed are durable.
 */
export class Turnstile {
  readonly service: DurableService;
  readonly #answer: unknown;
  readonly #callers: number;
  readonly #held: Settle<unknown>[] = [];
  #allowed = 0;
  #allHeld: (() => void) | undefined;

  constructor(kind: ServiceKind, answer: unknown, callers: number) {
    this.#answer = answer;
    this.#callers = callers;
    this.service = {
      service: {
        kind,
        name: "step",
        perform: (_request, settle) => {
          if (this.#allowed === 0) this.#hold(settle);
          else {
            this.#allowed -= 1;
            queueMicrotask(() => settle.ok(answer));
          }
          return () => {};
        },
        concurrency: callers,
      },
    };
  }

  /** Resolves when every caller is held. */
  held(): Promise<void> {
    if (this.#held.length === this.#callers) return Promise.resolve();
    return new Promise((resolve) => {
      this.#allHeld = resolve;
    });
  }

  /** Let through this many calls. Resolves when all of them are durable. */
  async allow(calls: number): Promise<void> {
    const now = this.#held.splice(0, Math.min(calls, this.#callers));
    this.#allowed = calls - now.length;
    for (const settle of now) settle.ok(this.#answer);
    await this.held();
  }

  #hold(settle: Settle<unknown>): void {
    this.#held.push(settle);
    if (this.#held.length === this.#callers) this.#allHeld?.();
  }
}
