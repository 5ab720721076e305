/** The syscalls as an async program sees them. */

import type { Approval, HttpResponse } from "@glia-os/abi/ports";
import type { Start } from "../effect.ts";
import type { Handle } from "../handle.ts";
import type { Routine } from "../operation.ts";
import type { ApprovalQuestion, FetchRequest, FileRequest } from "../services/requests.ts";
import type { Selected, Sys } from "../sys.ts";
import type { Exit, TaskId } from "../task.ts";
import type { Wait } from "../wait.ts";

/** The syscalls of {@link Sys} that wait. */
export type WaitingSyscall =
  | "approve"
  | "call"
  | "checkpoint"
  | "exec"
  | "exit"
  | "external"
  | "fetch"
  | "file"
  | "model"
  | "readWait"
  | "receive"
  | "select"
  | "send"
  | "sleep"
  | "wait"
  | "waitAny"
  | "waitOn"
  | "waitSignal"
  | "writeWait"
  | "yield";

/**
 * The same syscalls as {@link Sys}, with the same refusals. One that waits begins when it is called, and is to be awaited at once: until
 * then the task is parked and every other call is refused with `NotAwaitedError`. A result that has a `then` method is awaited in turn by
 * the language, which is a foreign await: wrap such a message in an object.
 */
export interface AsyncSys extends Omit<Sys, WaitingSyscall> {
  /** See `Sys.yield`. */
  yield(): Promise<void>;
  /** See `Sys.sleep`. */
  sleep(durationMs: number): Promise<void>;
  /** See `Sys.wait`. */
  wait<Result = unknown>(task: TaskId): Promise<Exit<Result>>;
  /** See `Sys.waitAny`. */
  waitAny(tasks: readonly TaskId[]): Promise<readonly [TaskId, Exit]>;
  /** See `Sys.exit`. */
  exit(value?: unknown): Promise<never>;
  /** See `Sys.checkpoint`. */
  checkpoint(state: unknown): Promise<never>;
  /** See `Sys.send`. */
  send<Message>(target: Handle<Message>, message: Message): Promise<void>;
  /** See `Sys.receive`. */
  receive<Message = unknown>(source: Handle<Message>): Promise<Message>;
  /** See `Sys.call`. */
  call<Answer = unknown>(target: Handle, message: unknown, timeoutMs?: number): Promise<Answer>;
  /** See `Sys.select`. */
  select<const Waits extends readonly Wait[]>(waits: Waits): Promise<Selected<Waits>>;
  /** See `Sys.waitSignal`. */
  waitSignal(source: Handle): Promise<number>;
  /** See `Sys.waitOn`. */
  waitOn<Value = unknown>(key: unknown): Promise<Value>;
  /** See `Sys.readWait`. */
  readWait(source: Handle): Promise<void>;
  /** See `Sys.writeWait`. */
  writeWait(target: Handle): Promise<void>;
  /** See `Sys.exec`. */
  exec<Value = unknown>(tool: Handle, input: unknown): Promise<Value>;
  /** See `Sys.fetch`. */
  fetch(grant: Handle, request: FetchRequest): Promise<HttpResponse>;
  /** See `Sys.file`. */
  file(root: Handle, operation: FileRequest & { readonly operation: "read" }): Promise<Uint8Array>;
  file(root: Handle, operation: FileRequest & { readonly operation: "list" }): Promise<readonly string[]>;
  file(root: Handle, operation: FileRequest & { readonly operation: "write" }): Promise<void>;
  /** See `Sys.model`. */
  model<Answer = unknown>(model: Handle, request: unknown): Promise<Answer>;
  /** See `Sys.approve`. */
  approve(approver: Handle, question: string | ApprovalQuestion): Promise<Approval>;
  /** See `Sys.external`. */
  external<Value = unknown>(start: Start<Value>): Promise<Value>;
  /** Run a part written as a generator, such as `retry`, in this task. */
  run<Result>(part: (sys: Sys) => Routine<Result>): Promise<Result>;
}
