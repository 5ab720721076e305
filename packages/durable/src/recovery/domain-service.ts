/**
 * Durable domains as a service: a task runs a domain to its end by a call. Supervisors of `@glia-os/kernel/supervision` have durable children
 * through it (`durableChild`).
 *
 * DV1. A call starts its domain, or goes on with it where it is; it comes to the domain's result, or fails as the domain did.
 * DV2. A restart is asked for once: the same request again finds it done. So the service is `repeatable`.
 * DV3. A call that is given up stops its domain here and ends nothing: the next call goes on with it.
 * DV4. Only the programs named may be run, under names with the prefix.
 */
import { toErrorRecord } from "@glia-os/abi/errors";
import type { CancelSignal } from "@glia-os/abi/ports";
import { type Service, toolService } from "@glia-os/kernel/services";
import { checkedChoice, type RestartChoice } from "@glia-os/kernel/supervision";
import type { Domains } from "../domains.ts";
import type { DurableDomain } from "../durable-domain.ts";
import type { DurableProgram, DurableService } from "../program.ts";
import { BadDomainRequestError, DomainFailedError, SameFailureError } from "./recovery-errors.ts";

/** What may be run by a service of domains. */
export interface DomainServiceOptions {
  /** Where: a function, because domains that use the service are made with it. */
  readonly domains: () => Domains;
  /** Programs that may be asked for, which the domains know as well. */
  readonly programs: readonly DurableProgram[];
  /** Put before the name of every domain. Default: nothing. */
  readonly prefix?: string;
}

/** A request to run a domain to its end. */
export interface DomainRequest {
  readonly domain: string;
  readonly program: string;
  readonly input: unknown;
  /** How it is to go on if it failed; tells one restart from another by `id`. */
  readonly restart?: { readonly id: string; readonly choice: RestartChoice };
}

const CALLS = 65_536;
/** How often a failure may be the same, unless the program says. */
const SAME_FAILURES = 2;

/** The service, for `Kernel.service` or among the services of durable domains. */
export function domainService(options: DomainServiceOptions): DurableService & { readonly service: Service } {
  const run = async (request: unknown, cancel: CancelSignal): Promise<unknown> =>
    new DomainCall(options, requestOf(request)).run(cancel);
  return { service: toolService({ run }, { name: "domains", concurrency: CALLS }), repeatable: true };
}

/** @throws {BadDomainRequestError} `kernel.bad-restart-choice` */
function requestOf(request: unknown): DomainRequest {
  if (typeof request !== "object" || request === null) throw new BadDomainRequestError("it is no object");
  const { domain, program, input, restart } = request as Partial<DomainRequest>;
  if (typeof domain !== "string" || typeof program !== "string")
    throw new BadDomainRequestError("domain and program are no texts");
  if (restart === undefined) return { domain, program, input };
  if (typeof restart !== "object" || restart === null || typeof restart.id !== "string" || restart.id === "")
    throw new BadDomainRequestError("its restart has no id");
  return { domain, program, input, restart: { id: restart.id, choice: checkedChoice(restart.choice) } };
}

class DomainCall {
  readonly #domains: Domains;
  readonly #name: string;
  readonly #program: DurableProgram;
  readonly #request: DomainRequest;

  constructor({ domains, programs, prefix = "" }: DomainServiceOptions, request: DomainRequest) {
    const program = programs.find(({ name }) => name === request.program);
    if (program === undefined) throw new BadDomainRequestError(`${request.program} is not offered`);
    this.#domains = domains();
    this.#name = prefix + request.domain;
    this.#program = program;
    this.#request = request;
  }

  async run(cancel: CancelSignal): Promise<unknown> {
    const domain = await this.#taken();
    let given = false;
    cancel.onCancel(() => {
      given = true;
      this.#domains.stop(this.#name).catch(() => {});
    });
    try {
      return await domain.result;
    } catch (error) {
      throw given || domain.state !== "ended" ? error : await this.#failure(error);
    }
  }

  async #taken(): Promise<DurableDomain> {
    const { input, restart } = this.#request;
    const domain = await this.#domains.resume(this.#name);
    if (domain === undefined)
      return await this.#domains.start(this.#name, this.#program as DurableProgram<unknown>, input);
    if (restart === undefined || domain.state !== "ended") return domain;
    return (await this.#domains.restart(this.#name, restart.choice, restart.id)) ?? domain;
  }

  /** How the domain failed, with the place. */
  async #failure(error: unknown): Promise<unknown> {
    const failure = await this.#domains.failure(this.#name).catch(() => undefined);
    const limit = this.#program.recovery?.sameFailureLimit ?? SAME_FAILURES;
    const isSame = failure !== undefined && failure.times >= limit;
    const { code, message, retryable } = toErrorRecord(
      isSame ? new SameFailureError(this.#name, failure) : error,
    );
    return new DomainFailedError(this.#name, failure?.at, { code, message, retryable }, error);
  }
}
