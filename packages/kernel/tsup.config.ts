import { defineConfig } from "tsup";
import { library } from "../../tsup.base.ts";

// Without source maps: they are two thirds of the package, which is to stay below 150 kB unpacked.
export default defineConfig(
  library({ index: "src/index.ts", testing: "src/testing/index.ts" }, { sourcemap: false }),
);
