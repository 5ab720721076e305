/** Addresses of agents by number, and the code of what something throws. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentRef } from "../../src/agent/index.ts";

/** The id of the nth agent of a test. */
export const idOf = (n: number): string => n.toString(16).padStart(32, "0");

/** Its address. */
export const refOf = (n: number): AgentRef => ({ id: idOf(n) });

/** The code of what a call throws; undefined when it throws nothing. */
export function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return errorCodeOf(error) ?? String(error);
  }
}
