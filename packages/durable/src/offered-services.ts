/** The services of a process as its durable domains use them. */
import type { HttpRequest } from "@glia-os/abi/ports";
import { KernelService } from "@glia-os/kernel/services";
import type { AskedCall } from "./domain-run.ts";
import { ProgramUnknownError } from "./errors.ts";
import { happensOnce } from "./once-calls.ts";
import type { DurableService } from "./program.ts";

type Offered = DurableService & { readonly offered: KernelService };

/** Services by the names that programs use. */
export class OfferedServices {
  readonly #services: ReadonlyMap<string, Offered>;

  constructor(services: Readonly<Record<string, DurableService>> = {}) {
    this.#services = new Map(
      Object.entries(services).map(([name, each]) => [
        name,
        { ...each, offered: new KernelService(each.service) },
      ]),
    );
  }

  /** The service behind a name. @throws {ProgramUnknownError} */
  get(name: string, domain = ""): KernelService {
    const service = this.#services.get(name)?.offered;
    if (service === undefined) throw new ProgramUnknownError(domain, `service ${name}`);
    return service;
  }

  /** Whether a call whose process ended before its outcome was recorded may be made again. */
  mayRepeat({ service, kind, request }: AskedCall): boolean {
    const repeatable = this.#services.get(service)?.repeatable;
    if (repeatable !== undefined) return repeatable;
    if (kind === "http") return ["GET", "HEAD"].includes((request as HttpRequest).method);
    return kind !== "tool";
  }

  /** Whether a call that failed may be made again. */
  mayTryAgain(call: AskedCall): boolean {
    const says = this.#services.get(call.service)?.mayTryAgain?.(call.request);
    return says ?? (!happensOnce(call.op) || this.mayRepeat(call));
  }

  /** Why a result cannot stand in for what a call came to; undefined when it can. */
  refusalOf({ service, kind }: AskedCall, result: unknown): string | undefined {
    if (kind === "approver") return "an approval is a person's to give";
    return this.#services.get(service)?.faultIn?.(result);
  }
}
