/** Which calls of services may have their effect once only. */
import { syscallByNumber } from "@glia-os/abi/syscalls";
import { SERVICE_KINDS } from "@glia-os/kernel/services";

const SERVICE_OPS = Object.values(SERVICE_KINDS).flatMap(({ op }) => syscallByNumber(op) ?? []);
const ONCE_OPS: ReadonlySet<number> = new Set(
  SERVICE_OPS.filter(({ effect }) => effect === "once").map(({ number }) => number),
);

/** Whether an effect may happen once only, so that its intent is recorded before it starts. */
export function happensOnce(op: number): boolean {
  return ONCE_OPS.has(op);
}
