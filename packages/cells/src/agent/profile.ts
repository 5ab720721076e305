/**
 * What an agent uses, as moving averages that placement and its own forecast read.
 *
 * PF1. Averages are exponential, the newest sample weighing 0.1: `next = old + 0.1 * (sample - old)`.
 */

import { PROFILE_ALPHA } from "./constants.ts";

/** What an agent used lately. */
export interface AgentProfile {
  /** Messages handled since it was made. */
  readonly messages: number;
  /** Milliseconds of computing per message. */
  readonly executionMs: number;
  /** Messages per second. */
  readonly messageRate: number;
  /** The part of one core it computes: 0 to 1. */
  readonly cpuIntensity: number;
  /** What it expects of the near future, 0 to 1: its definition's `forecast`, or `cpuIntensity`. */
  readonly forecast: number;
}

/** Averages of one agent. */
export class ProfileMeter {
  #messages = 0;
  #atMs = -1;
  #executionMs = 0;
  #rate = 0;
  #cpu = 0;
  #samples = 0;

  /**
   * Take a sample: the agent has handled `messages` in all at `nowMs`, and the `sampled` last of them took `busyMs` of computing.
   */
  sample(messages: number, sampled: number, busyMs: number, nowMs: number): void {
    const elapsedMs = nowMs - this.#atMs;
    if (sampled > 0) this.#executionMs = this.#averaged(this.#executionMs, busyMs / sampled);
    if (this.#atMs >= 0 && elapsedMs > 0) {
      const handled = messages - this.#messages;
      this.#rate = this.#averaged(this.#rate, (handled * 1000) / elapsedMs);
      const perMessage = sampled > 0 ? busyMs / sampled : 0;
      this.#cpu = this.#averaged(this.#cpu, Math.min(1, (handled * perMessage) / elapsedMs));
    }
    this.#messages = messages;
    this.#atMs = nowMs;
    this.#samples++;
  }

  /** The averages; `forecast` is asked what it makes of them. */
  read(messages: number, forecast: ((profile: AgentProfile) => number) | undefined): AgentProfile {
    const measured = {
      messages,
      executionMs: this.#executionMs,
      messageRate: this.#rate,
      cpuIntensity: this.#cpu,
      forecast: this.#cpu,
    };
    if (forecast === undefined) return measured;
    let expected: number;
    try {
      expected = forecast(measured);
    } catch {
      // A guess that fails is no reason to end an agent: what it uses now stands in for it.
      return measured;
    }
    return { ...measured, forecast: expected >= 0 ? Math.min(1, expected) : this.#cpu };
  }

  /** The first sample is the average; PF1 holds from the second on. */
  #averaged(old: number, sample: number): number {
    return this.#samples < 2 ? sample : old + PROFILE_ALPHA * (sample - old);
  }
}
