/**
 * Services of a node that its agents may be given: a manifest's grant `service/NAME` asks for one.
 *
 * CS1. An agent that asks for a service this node does not have is refused before anything of it runs, here or when it wants to move here.
 * CS2. What an agent is given goes by the service's name, so that it is bound to the service of that name where it moves.
 */
import type { CapabilityKind } from "@glia-os/abi/ports";
import type { Rights } from "@glia-os/abi/syscalls";
import type { Gift, Handle } from "@glia-os/kernel";
import { HeldCapabilities } from "@glia-os/kernel/guests";
import { ServiceMissingError } from "./errors.ts";

/** One service. */
export interface CellService {
  /** What agents and manifests call it: 1 to 56 of `a-z 0-9 - . _`. */
  readonly name: string;
  /** A capability of the kernel's shell, with the right `grant`. */
  readonly handle: Handle;
  /** What agents get of it. */
  readonly rights: Rights;
  /** `immovable`: an agent that holds it cannot move. Default `rebind-by-name`. */
  readonly kind?: CapabilityKind;
  /** What an agent with a replica asks of it is recorded with the answer, and done when that is held (docs/spec/replica.md). */
  readonly recorded?: boolean;
}

/** How a grant of a service begins. */
export const SERVICE_PREFIX = "service/";

/** The services that grants ask for, in their order. @throws {ServiceMissingError} (CS1) */
export function servicesFor<Service extends { readonly name: string }>(
  grants: readonly string[],
  services: readonly Service[] = [],
): readonly Service[] {
  const names = new Set(grants.filter((grant) => grant.startsWith(SERVICE_PREFIX)));
  return [...names].map((grant) => {
    const name = grant.slice(SERVICE_PREFIX.length);
    const found = services.find((one) => one.name === name);
    if (found === undefined)
      throw new ServiceMissingError(
        name,
        services.map((one) => one.name),
      );
    return found;
  });
}

/** What an agent with these services holds when it starts. */
export function heldOf(services: readonly CellService[]): HeldCapabilities {
  return new HeldCapabilities(
    services.map(({ name, rights, kind }) => ({ name, rights, ...(kind === undefined ? {} : { kind }) })),
  );
}

/** What its task is given of them. */
export function giftsOf(services: readonly CellService[]): readonly Gift[] {
  return services.map(({ handle, rights }) => ({ handle, rights }));
}
