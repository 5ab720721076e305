/**
 * The union of every namespace's codes, as types. A namespace is one file under `codes/`, owned by the package of that name, and one
 * under `namespaces/`: the base class of its errors, through which a program loads the sentences of the namespaces it uses and no other.
 */
import type { ABI_CODES } from "./codes/abi.ts";
import type { AGENT_CODES } from "./codes/agent.ts";
import type { CELLS_CODES } from "./codes/cells.ts";
import type { CLI_CODES } from "./codes/cli.ts";
import type { DAEMON_CODES } from "./codes/daemon.ts";
import type { DURABLE_CODES } from "./codes/durable.ts";
import type { GUEST_CODES } from "./codes/guest.ts";
import type { HAL_CODES } from "./codes/hal.ts";
import type { HISTORY_CODES } from "./codes/history.ts";
import type { HOST_CODES } from "./codes/host.ts";
import type { INFERENCE_CODES } from "./codes/inference.ts";
import type { KERNEL_CODES } from "./codes/kernel.ts";
import type { MESH_CODES } from "./codes/mesh.ts";
import type { ORCHESTRATION_CODES } from "./codes/orchestration.ts";
import type { OVERLAY_CODES } from "./codes/overlay.ts";
import type { OVERSIGHT_CODES } from "./codes/oversight.ts";
import type { RT_CODES } from "./codes/rt.ts";
import type { SIM_CODES } from "./codes/sim.ts";
import type { STORE_CODES } from "./codes/store.ts";
import type { TENSOR_CODES } from "./codes/tensor.ts";
import type { TOOLS_CODES } from "./codes/tools.ts";
import type { WASM_CODES } from "./codes/wasm.ts";
import type { WIRE_CODES } from "./codes/wire.ts";

/** What the code table says of each failure. */
export interface ErrorFacts {
  /** Whether the same call may succeed later without any change by the caller. */
  readonly retryable: boolean;
  /** What is different after the failure. */
  readonly changed: string;
  /** What to do about it. */
  readonly fix: string;
}

/** Every code with its facts: the shape of `ERROR_CODES` of `@glia-os/abi/errors/all`. */
export type ErrorTable = typeof ABI_CODES &
  typeof AGENT_CODES &
  typeof CELLS_CODES &
  typeof CLI_CODES &
  typeof DAEMON_CODES &
  typeof DURABLE_CODES &
  typeof GUEST_CODES &
  typeof HAL_CODES &
  typeof HISTORY_CODES &
  typeof HOST_CODES &
  typeof INFERENCE_CODES &
  typeof KERNEL_CODES &
  typeof MESH_CODES &
  typeof ORCHESTRATION_CODES &
  typeof OVERLAY_CODES &
  typeof OVERSIGHT_CODES &
  typeof RT_CODES &
  typeof SIM_CODES &
  typeof STORE_CODES &
  typeof TENSOR_CODES &
  typeof TOOLS_CODES &
  typeof WASM_CODES &
  typeof WIRE_CODES;

/** A stable error code: `namespace.kebab-case`. */
export type ErrorCode = keyof ErrorTable;
