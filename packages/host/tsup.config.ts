import { defineConfig } from "tsup";
import { library } from "../../tsup.base.ts";

export default defineConfig(
  library({
    index: "src/index.ts",
    testing: "src/testing/index.ts",
    // Loaded by address, beside whatever chunk makes the workers.
    "contract-jobs": "src/testing/contract-jobs.ts",
    "process-child": "src/engines/process-child.ts",
    "threaded-worker": "src/engines/threaded-worker.ts",
    "watchdog-thread": "src/watchdog/watchdog-thread.ts",
  }),
);
