/** What happens to the guests of a scheduler, as it is told to whoever made it. */

/** How a guest ended. */
export type GuestEnd =
  | { readonly kind: "finished"; readonly status: number }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "stopped" };

/** What is told of guests, at once and in the scheduler's thread. A guest's own turn goes on after each. */
export interface SchedulerEvents {
  /** The guest answered the message that was posted as `token`. */
  replied?(guest: number, token: number, payload: Uint8Array): void;
  /** The guest received another message, or ended, without having answered `token`. */
  unanswered?(guest: number, token: number): void;
  logged?(guest: number, level: number, text: string): void;
  /** Raw output of a guest that has streams; without this it comes as log lines. */
  output?(guest: number, stream: 1 | 2, bytes: Uint8Array): void;
  ended?(guest: number, end: GuestEnd): void;
  /** A guest that waited for an answer is in line again, while no turn was going on. */
  awake?(): void;
}
