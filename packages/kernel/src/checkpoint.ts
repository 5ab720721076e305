/** What a task that called `sys.checkpoint` ended with. */

/** A state from which the task's program can be started anew. */
export class Checkpoint {
  readonly state: unknown;

  constructor(state: unknown) {
    this.state = state;
  }
}
