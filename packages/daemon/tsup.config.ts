import { defineConfig } from "tsup";
import { library } from "../../tsup.base.ts";

export default defineConfig(
  library({
    index: "src/index.ts",
    config: "src/config/index.ts",
    jobs: "src/jobs/index.ts",
    "agent-worker": "src/agent-worker.ts",
    "guest-worker": "src/guest-worker.ts",
    "mesh-worker": "src/mesh-worker.ts",
  }),
);
