/** Starting supervisors, asking them, and the usual kinds of children. */

import { DURATION_LIMIT_MS } from "../constants.ts";
import type { Handle } from "../handle.ts";
import type { Routine } from "../operation.ts";
import { checkOptions } from "../options.ts";
import type { Sys } from "../sys.ts";
import type { TaskId } from "../task.ts";
import type { ChildOptions, ChildSpec, SupervisorOptions } from "./child-spec.ts";
import type { ServerDefinition } from "./server.ts";
import { named, type StartOptions, startAndWait, startServer } from "./server-client.ts";
import { supervisor } from "./supervisor.ts";
import {
  type ChildCounts,
  type ChildFacts,
  type ChildKey,
  type StartedChild,
  SupervisorRequest,
} from "./supervisor-request.ts";

/** A supervisor that was started. The handle is valid in the task that started it; grant it to others. */
export interface SupervisorRef {
  readonly task: TaskId;
  readonly handle: Handle;
}

/**
 * Start a supervisor and wait until all its children are ready.
 * @throws {BadChildSpecError} {StartFailedError} when a child does not start; what had started was ended again
 */
export function* startSupervisor(
  sys: Sys,
  options: SupervisorOptions,
  start: StartOptions = {},
): Routine<SupervisorRef> {
  checkOptions("the options of a start", start);
  const program = named(start.register, supervisor(options, sys.getTid()));
  return yield* startAndWait(sys, program, start, start.name ?? start.register ?? "supervisor", "in order");
}

/** A server as a child. */
export function serverChild<State, Question, Answer, Cast>(
  id: string,
  definition: ServerDefinition<State, Question, Answer, Cast>,
  options: ChildOptions & StartOptions = {},
): ChildSpec {
  return {
    id,
    start: (sys) => startServer(sys, definition, { name: id, ...options }),
    ...childOptions(options),
  };
}

/** A supervisor as a child: of type `supervisor`, with all the time it needs to end. */
export function supervisorChild(
  id: string,
  options: SupervisorOptions,
  child: ChildOptions & StartOptions = {},
): ChildSpec {
  return {
    id,
    start: (sys) => startSupervisor(sys, options, { name: id, ...child }),
    type: "supervisor",
    ...childOptions(child),
  };
}

function childOptions(options: ChildOptions & StartOptions): ChildOptions {
  checkOptions("the options of a child", options);
  const { restart, shutdown, type, significant } = options;
  return {
    ...(restart === undefined ? {} : { restart }),
    ...(shutdown === undefined ? {} : { shutdown }),
    ...(type === undefined ? {} : { type }),
    ...(significant === undefined ? {} : { significant }),
  };
}

function* ask<Answer>(sys: Sys, target: Handle, request: SupervisorRequest): Routine<Answer> {
  return yield* sys.call<Answer>(target, request, DURATION_LIMIT_MS);
}

/**
 * Start one more child. @throws {ChildStateError} when the id is taken {StartFailedError} {TooManyChildrenError} {BadChildSpecError}
 */
export function startChild(sys: Sys, target: Handle, spec: ChildSpec): Routine<StartedChild> {
  checkOptions("the specification of a child", spec);
  return ask(sys, target, new SupervisorRequest("start", spec.id, spec));
}

/** Start one more child of a simple_one_for_one's template, which gets these arguments. @throws as {@link startChild} */
export function startDynamicChild(
  sys: Sys,
  target: Handle,
  ...args: readonly unknown[]
): Routine<StartedChild> {
  return ask(sys, target, new SupervisorRequest("start", "", undefined, args));
}

/** End a child and do not start it again; its specification stays, unless it is temporary or dynamic. @throws {UnknownChildError} */
export function terminateChild(sys: Sys, target: Handle, child: ChildKey): Routine<true> {
  return ask(sys, target, new SupervisorRequest("terminate", child));
}

/** Start a child again that does not run. @throws {ChildStateError} {UnknownChildError} {StartFailedError} */
export function restartChild(sys: Sys, target: Handle, child: string): Routine<StartedChild> {
  return ask(sys, target, new SupervisorRequest("restart", child));
}

/** Forget a child that does not run. @throws {ChildStateError} {UnknownChildError} */
export function deleteChild(sys: Sys, target: Handle, child: string): Routine<true> {
  return ask(sys, target, new SupervisorRequest("delete", child));
}

/** All children in the order of their start. */
export function whichChildren(sys: Sys, target: Handle): Routine<readonly ChildFacts[]> {
  return ask(sys, target, new SupervisorRequest("which"));
}

/** How many children there are of each kind. */
export function countChildren(sys: Sys, target: Handle): Routine<ChildCounts> {
  return ask(sys, target, new SupervisorRequest("count"));
}

/** A handle to a child, valid in the calling task until the child ends; undefined when it has none. @throws {UnknownChildError} */
export function childHandle(sys: Sys, target: Handle, child: ChildKey): Routine<Handle | undefined> {
  return ask(sys, target, new SupervisorRequest("handle", child));
}
