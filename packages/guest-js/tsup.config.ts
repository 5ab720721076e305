import { defineConfig } from "tsup";
import { library } from "../../tsup.base.ts";

export default defineConfig(
  library({
    build: "src/module/index.ts",
    definition: "src/guest/definition.ts",
    globals: "src/guest/globals.ts",
    index: "src/index.ts",
    run: "src/run/index.ts",
    web: "src/guest/web.ts",
  }),
);
