import { defineConfig } from "tsup";
import { library } from "../../tsup.base.ts";

export default defineConfig(
  library({ build: "src/build.ts", index: "src/index.ts", "word-count": "src/word-count.ts" }),
);
