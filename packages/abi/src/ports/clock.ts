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

/** Timers as a port: what a shell offers beside a {@link Clock}. */
export interface Timers {
  /** Call `fire` once, no earlier than `delayMs` milliseconds from now (0 or more). */
  schedule(delayMs: number, fire: () => void): TimerHandle;
}
