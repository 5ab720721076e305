import { defineConfig } from "tsup";
import { library } from "../../tsup.base.ts";

export default defineConfig(
  library({
    index: "src/index.ts",
    errors: "src/errors/index.ts",
    ids: "src/ids/index.ts",
    ports: "src/ports/index.ts",
    syscalls: "src/syscalls/index.ts",
    testing: "src/testing/index.ts",
    wire: "src/wire/index.ts",
  }),
);
