/** Time as a port. A core that needs time takes a `Clock`; only `hal` and the simulator make one. */

/** A source of time. Both readings are milliseconds and may be fractional. */
export interface Clock {
  /** Monotonic time since an arbitrary start. Never goes back. Deadlines and intervals use this one. */
  monotonicMs(): number;
  /** Milliseconds since the Unix epoch. May jump; only for people and for expiry dates that other machines read. */
  wallMs(): number;
}

/** A timer that was set. */
export interface TimerHandle {
  /** Forget the timer. Has no effect when it fired or was cancelled before. */
  cancel(): void;
}

/** How exact a timer has to be. */
export interface TimerOptions {
  /**
   * How far from its moment the timer may fire, before or after, in milliseconds; default 0: never before, and as soon after as can be. Timers
   * that may be off share wake-ups, so a program at rest wakes less often. An implementation may be more exact than it is asked to be.
   */
  readonly toleranceMs?: number;
}

/** Timers as a port: what a shell offers beside a {@link Clock}. */
export interface Timers {
  /** Call `fire` once, no earlier than `delayMs` milliseconds from now (0 or more), or about then where a tolerance is given. */
  schedule(delayMs: number, fire: () => void, options?: TimerOptions): TimerHandle;
}
