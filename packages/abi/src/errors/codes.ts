/** The union of every namespace's codes. A namespace is one file under `codes/`, owned by the package of that name. */
import { ABI_CODES } from "./codes/abi.ts";
import { CELLS_CODES } from "./codes/cells.ts";
import { CLI_CODES } from "./codes/cli.ts";
import { DAEMON_CODES } from "./codes/daemon.ts";
import { DURABLE_CODES } from "./codes/durable.ts";
import { GUEST_CODES } from "./codes/guest.ts";
import { HAL_CODES } from "./codes/hal.ts";
import { HOST_CODES } from "./codes/host.ts";
import { KERNEL_CODES } from "./codes/kernel.ts";
import { MESH_CODES } from "./codes/mesh.ts";
import { SIM_CODES } from "./codes/sim.ts";
import { STORE_CODES } from "./codes/store.ts";
import { WASM_CODES } from "./codes/wasm.ts";
import { WIRE_CODES } from "./codes/wire.ts";

/** What the code table says of each failure. */
export interface ErrorFacts {
  /** Whether the same call may succeed later without any change by the caller. */
  readonly retryable: boolean;
  /** What is different after the failure. */
  readonly changed: string;
  /** What to do about it. */
  readonly fix: string;
}

/** The shape of {@link ERROR_CODES}. */
export type ErrorTable = typeof ABI_CODES &
  typeof CELLS_CODES &
  typeof CLI_CODES &
  typeof DAEMON_CODES &
  typeof DURABLE_CODES &
  typeof GUEST_CODES &
  typeof HAL_CODES &
  typeof HOST_CODES &
  typeof KERNEL_CODES &
  typeof MESH_CODES &
  typeof SIM_CODES &
  typeof STORE_CODES &
  typeof WASM_CODES &
  typeof WIRE_CODES;

/** Every code this build can raise. `docs/spec/errors.md` is printed from it. */
export const ERROR_CODES: ErrorTable = {
  ...ABI_CODES,
  ...CELLS_CODES,
  ...CLI_CODES,
  ...DAEMON_CODES,
  ...DURABLE_CODES,
  ...GUEST_CODES,
  ...HAL_CODES,
  ...HOST_CODES,
  ...KERNEL_CODES,
  ...MESH_CODES,
  ...SIM_CODES,
  ...STORE_CODES,
  ...WASM_CODES,
  ...WIRE_CODES,
} satisfies Readonly<Record<string, ErrorFacts>>;

/** A stable error code: `namespace.kebab-case`. */
export type ErrorCode = keyof ErrorTable;
