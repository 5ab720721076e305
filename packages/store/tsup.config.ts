import { defineConfig } from "tsup";
import { library } from "../../tsup.base.ts";

export default defineConfig(
  library({
    index: "src/index.ts",
    memory: "src/memory.ts",
    sqlite: "src/sqlite.ts",
    "sqlite-worker": "src/sqlite-worker.ts",
    testing: "src/testing.ts",
  }),
);
