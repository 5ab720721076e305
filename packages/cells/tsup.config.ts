import { defineConfig } from "tsup";
import { library } from "../../tsup.base.ts";

export default defineConfig(
  library({
    index: "src/index.ts",
    agent: "src/agent/index.ts",
    domain: "src/domain/index.ts",
    orchestration: "src/orchestration/index.ts",
    "shared-state": "src/orchestration/shared-state/index.ts",
    testing: "src/testing/index.ts",
  }),
);
