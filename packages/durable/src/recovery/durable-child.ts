/**
 * A durable domain as a child of a supervisor.
 *
 * DC1. The child is a task that calls the service of domains; it ends as the domain does. It holds nothing of the domain's state.
 * DC2. Started again after a failure, the domain goes on as was chosen: `resume` where nothing is said. Started otherwise, it goes on where
 *      it is.
 * DC3. A failure that the domain's own journal shows to repeat escalates, unless another result is put in its place.
 */
import { errorCodeOf, RemoteError } from "@glia-os/abi/errors";
import type { Handle, Routine, Sys, TaskId } from "@glia-os/kernel";
import type {
  ChildFailure,
  ChildOptions,
  ChildSpec,
  RestartAnswer,
  RestartChoice,
} from "@glia-os/kernel/supervision";
import type { DomainRequest } from "./domain-service.ts";
import { DomainFailedError } from "./recovery-errors.ts";

/** What a durable child is. */
export interface DurableChildOptions extends Omit<ChildOptions, "startAgain" | "onFailure"> {
  /** The service of domains (`domainService`), held by the supervisor's task. */
  readonly domains: Handle;
  /** The name of the domain. Default: the id of the child. */
  readonly domain?: string;
  /** The name of the program, and what a new domain starts with. */
  readonly program: string;
  readonly input: unknown;
  /** How the child goes on after a failure. Default `resume`. Of a failure that repeats only `replace` is followed (DC3). */
  readonly onFailure?: RestartAnswer | ((failure: ChildFailure) => RestartAnswer);
}

/** The specification of a durable child. Its supervisor has to hold `domains` with the right to hand it on. */
export function durableChild(id: string, options: DurableChildOptions): ChildSpec {
  const { domains, domain = id, program, input, onFailure = "resume", ...child } = options;
  const request: DomainRequest = { domain, program, input };
  return {
    ...child,
    id,
    *start(sys) {
      return begun(sys, id, domains, request);
    },
    *startAgain(sys, choice) {
      return begun(sys, id, domains, {
        ...request,
        restart: { id: drawnId(sys), choice: withInput(choice, input) },
      });
    },
    onFailure(failure) {
      const answer = typeof onFailure === "function" ? onFailure(failure) : onFailure;
      const isOther = typeof answer === "object" && answer?.choice === "replace";
      return repeats(failure.reason) && !isOther ? "escalate" : answer;
    },
  };
}

/** A fresh beginning of a child begins with what the child begins with. */
function withInput(choice: RestartChoice, input: unknown): RestartChoice {
  return choice.choice === "fresh" && !Object.hasOwn(choice, "input") ? { ...choice, input } : choice;
}

/** The task of a child. Its syscalls are counted, so that its supervisor sees whether a failure is the same again. */
function begun(sys: Sys, name: string, domains: Handle, request: DomainRequest): TaskId {
  return sys.spawn(
    function* (own: Sys, service: Handle): Routine<unknown> {
      return yield* own.exec(service, request);
    },
    { name, counted: true, give: [domains] },
  );
}

const ID_BYTES = 8;

/** Tells one restart from another. In a durable domain it is the same in every replay. */
function drawnId(sys: Sys): string {
  return Array.from(sys.random(ID_BYTES), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const REPEATS: readonly unknown[] = ["durable.same-failure", "durable.too-many-restarts"];

/** Whether a domain gave up by itself. */
function repeats(reason: unknown): boolean {
  if (errorCodeOf(reason) !== "durable.domain-failed") return false;
  const details =
    reason instanceof DomainFailedError
      ? reason.details
      : reason instanceof RemoteError
        ? reason.remote.details
        : {};
  return REPEATS.includes((details?.["error"] as { readonly code?: unknown } | undefined)?.code);
}
