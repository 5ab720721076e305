import { defineConfig } from "tsup";
import { library } from "../../tsup.base.ts";

export default defineConfig(
  library({
    index: "src/index.ts",
    pipeline: "src/pipeline/index.ts",
    snapshot: "src/snapshot/index.ts",
    pool: "src/pool/index.ts",
    "pool-worker": "src/pool/worker-main.ts",
    watchdog: "src/watchdog.ts",
  }),
);
