/** The whole table of codes, for documents and tests. It brings every namespace's sentences with it: programs leave it alone. */
import { ABI_CODES } from "./codes/abi.ts";
import { AGENT_CODES } from "./codes/agent.ts";
import { CELLS_CODES } from "./codes/cells.ts";
import { CLI_CODES } from "./codes/cli.ts";
import { DAEMON_CODES } from "./codes/daemon.ts";
import { DURABLE_CODES } from "./codes/durable.ts";
import { GUEST_CODES } from "./codes/guest.ts";
import { HAL_CODES } from "./codes/hal.ts";
import { HISTORY_CODES } from "./codes/history.ts";
import { HOST_CODES } from "./codes/host.ts";
import { INFERENCE_CODES } from "./codes/inference.ts";
import { KERNEL_CODES } from "./codes/kernel.ts";
import { MESH_CODES } from "./codes/mesh.ts";
import { ORCHESTRATION_CODES } from "./codes/orchestration.ts";
import { OVERLAY_CODES } from "./codes/overlay.ts";
import { OVERSIGHT_CODES } from "./codes/oversight.ts";
import { RT_CODES } from "./codes/rt.ts";
import { SIM_CODES } from "./codes/sim.ts";
import { STORE_CODES } from "./codes/store.ts";
import { TENSOR_CODES } from "./codes/tensor.ts";
import { TOOLS_CODES } from "./codes/tools.ts";
import { WASM_CODES } from "./codes/wasm.ts";
import { WIRE_CODES } from "./codes/wire.ts";
import type { ErrorFacts, ErrorTable } from "./codes.ts";

/** Every code of this release with its facts. `docs/spec/errors.md` is printed from it. */
export const ERROR_CODES: ErrorTable = {
  ...ABI_CODES,
  ...AGENT_CODES,
  ...CELLS_CODES,
  ...CLI_CODES,
  ...DAEMON_CODES,
  ...DURABLE_CODES,
  ...GUEST_CODES,
  ...HAL_CODES,
  ...HISTORY_CODES,
  ...HOST_CODES,
  ...INFERENCE_CODES,
  ...KERNEL_CODES,
  ...MESH_CODES,
  ...ORCHESTRATION_CODES,
  ...OVERLAY_CODES,
  ...OVERSIGHT_CODES,
  ...RT_CODES,
  ...SIM_CODES,
  ...STORE_CODES,
  ...TENSOR_CODES,
  ...TOOLS_CODES,
  ...WASM_CODES,
  ...WIRE_CODES,
} satisfies Readonly<Record<string, ErrorFacts>>;
