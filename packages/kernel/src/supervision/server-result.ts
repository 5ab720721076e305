/** What the callbacks of a server return: an answer or none, the next state, and whether to go on. */

/** Answer the call and go on. */
export class Reply<State, Answer> {
  readonly answer: Answer;
  readonly state: State;

  constructor(answer: Answer, state: State) {
    this.answer = answer;
    this.state = state;
  }
}

/** Go on; a call is answered later with `replyTo`, or never. */
export class NoReply<State> {
  readonly state: State;

  constructor(state: State) {
    this.state = state;
  }
}

/** End the server. */
export class Stop<State, Answer> {
  readonly reason: unknown;
  readonly state: State;
  /** Whether a call gets `answer` first. */
  readonly answers: boolean;
  readonly answer: Answer | undefined;

  constructor(reason: unknown, state: State, answers: boolean, answer: Answer | undefined) {
    this.reason = reason;
    this.state = state;
    this.answers = answers;
    this.answer = answer;
  }
}

/** What `handleCall` returns. */
export type CallResult<State, Answer> = Reply<State, Answer> | NoReply<State> | Stop<State, Answer>;

/** What `handleCast` and `handleInfo` return. */
export type CastResult<State> = NoReply<State> | Stop<State, never>;

/** Answer the call and go on. */
export function reply<State, Answer>(answer: Answer, state: State): Reply<State, Answer> {
  return new Reply(answer, state);
}

/** Go on without an answer now. */
export function noReply<State>(state: State): NoReply<State> {
  return new NoReply(state);
}

/** End with an exit reason: `normal`, a shutdown reason, or anything else for an abnormal end. */
export function stop<State>(reason: unknown, state: State): Stop<State, never> {
  return new Stop<State, never>(reason, state, false, undefined);
}

/** Answer the call, then end. */
export function stopWith<State, Answer>(reason: unknown, answer: Answer, state: State): Stop<State, Answer> {
  return new Stop(reason, state, true, answer);
}
