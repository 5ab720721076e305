import { defineConfig } from "tsup";
import { library } from "../../tsup.base.ts";

export default defineConfig(
  library({
    index: "src/index.ts",
    main: "src/main.ts",
    config: "src/config/define-config.ts",
    "config-worker": "src/config/config-worker.ts",
    "count-worker": "src/count/count-worker.ts",
    "instrument-worker": "src/wasm/instrument-worker.ts",
    "guest-worker": "src/wasm/guest-worker.ts",
    "sim-worker": "src/sim/sim-worker.ts",
  }),
);
