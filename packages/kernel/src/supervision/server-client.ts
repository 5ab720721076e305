/** Starting servers and talking to them. */
import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import { CALL_TIMEOUT_MS, DURATION_LIMIT_MS } from "../constants.ts";
import { MailboxClosedError, TaskCancelledError, UnknownTaskError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import type { MailboxOptions } from "../mailbox.ts";
import type { Operation, Routine } from "../operation.ts";
import { checkOptions } from "../options.ts";
import type { Gift, Program, SpawnOptions, Sys } from "../sys.ts";
import type { TaskId } from "../task.ts";
import { StartFailedError } from "./errors.ts";
import { exitReason } from "./exit-reason.ts";
import { CastMessage, type ServerDefinition, STARTED, server } from "./server.ts";

declare const speaks: unique symbol;

/** A handle of a server: who holds it may call and cast. */
export type ServerHandle<Question = unknown, Answer = unknown, Cast = unknown> = Handle & {
  readonly [speaks]?: { question: Question; answer: Answer; cast: Cast };
};

/** A server that was started. The handle is valid in the task that started it; grant it to others. */
export interface ServerRef<Question = unknown, Answer = unknown, Cast = unknown> {
  readonly task: TaskId;
  readonly handle: ServerHandle<Question, Answer, Cast>;
}

/** How a server is started. */
export interface StartOptions {
  readonly name?: string;
  readonly priority?: NonNullable<SpawnOptions["priority"]>;
  /** How its inbox is bounded. */
  readonly inbox?: MailboxOptions;
  /** Link it to the task that starts it, once it is ready. Default true. */
  readonly link?: boolean;
  /** Publish it under this name before its `init`. The name belongs to the server and ends with it. */
  readonly register?: string;
}

/** Rights of whoever starts a server: everything but receiving its messages. */
export const CLIENT_RIGHTS: Rights = RIGHTS.send | RIGHTS.call | RIGHTS.grant | RIGHTS.revoke | RIGHTS.name;

/**
 * Start a server and wait until its `init` is done.
 * @throws {StartFailedError} when it ends before that; the reason says why.
 */
export function* startServer<State, Question, Answer, Cast>(
  sys: Sys,
  definition: ServerDefinition<State, Question, Answer, Cast>,
  options: StartOptions = {},
): Routine<ServerRef<Question, Answer, Cast>> {
  checkOptions("the options of a start", options);
  checkOptions("the definition of a server", definition);
  const program = named(options.register, server(definition, sys.getTid()));
  return yield* startAndWait(sys, program, options, options.name ?? options.register ?? "server");
}

/** A program that first registers its inbox under a name, if there is one. */
export function named(name: string | undefined, program: Program<void>): Program<void> {
  if (name === undefined) return program;
  return function* (sys, inbox: Handle) {
    sys.register(name, inbox);
    yield* program(sys, inbox);
  };
}

/**
 * Spawn a program that takes an inbox and wait until it answers that it is ready; then link. Until then a failure is thrown here and
 * kills nobody, and giving up the wait ends what was spawned: `in order` waits until it and what it started have ended, so that none of
 * them lives beside its successor.
 */
export function* startAndWait(
  sys: Sys,
  program: Program<void>,
  options: StartOptions,
  name: string,
  ending: "at once" | "in order" = "at once",
): Routine<{ readonly task: TaskId; readonly handle: Handle }> {
  const inbox = sys.mailbox(options.inbox);
  const handle = sys.attenuate(inbox, CLIENT_RIGHTS);
  const give: readonly Gift[] = [inbox];
  const priority = options.priority === undefined ? {} : { priority: options.priority };
  let task: TaskId;
  try {
    task = sys.spawn(program, { give, name, counted: true, ...priority });
  } finally {
    sys.drop(inbox);
  }
  let ready = false;
  try {
    yield* sys.call(handle, STARTED, DURATION_LIMIT_MS);
    ready = true;
    if (options.link !== false) sys.link(task);
    return { task, handle };
  } catch (error) {
    if (error instanceof TaskCancelledError && ending === "in order") {
      sys.cancel(task, "shutdown");
      yield* reasonOf(sys, task);
    }
    if (!(error instanceof MailboxClosedError)) throw error;
    throw new StartFailedError(name, yield* reasonOf(sys, task));
  } finally {
    if (!ready) {
      sys.kill(task);
      sys.drop(handle);
    }
  }
}

function* reasonOf(sys: Sys, task: TaskId): Routine<unknown> {
  try {
    return exitReason(yield* sys.wait(task));
  } catch (error) {
    if (error instanceof UnknownTaskError) return "unknown";
    throw error;
  }
}

/**
 * Ask a server and wait for its answer, 5 s unless told otherwise.
 * @throws {CallTimeoutError} {ServerEndedError} {MailboxClosedError} when it is gone {DeadlockError} and what the server refuses with
 */
export function call<Question, Answer, Cast>(
  sys: Sys,
  target: ServerHandle<Question, Answer, Cast>,
  question: Question,
  timeoutMs: number = CALL_TIMEOUT_MS,
): Operation<Answer> {
  return sys.call<Answer>(target, question, timeoutMs);
}

/** Tell a server something. Nobody learns whether it arrives; under pressure the sender waits for room. */
export function* cast<Question, Answer, Cast>(
  sys: Sys,
  target: ServerHandle<Question, Answer, Cast>,
  message: Cast,
): Routine<void> {
  try {
    yield* sys.send(target, new CastMessage(message) as never);
  } catch (error) {
    if (!(error instanceof MailboxClosedError)) throw error;
  }
}
