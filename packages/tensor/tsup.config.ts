import { defineConfig } from "tsup";
import { library } from "../../tsup.base.ts";

export default defineConfig(
  library({
    index: "src/index.ts",
    adapters: "src/adapters/index.ts",
    backends: "src/backends.ts",
    gradients: "src/gradients/index.ts",
    guests: "src/guests/index.ts",
    testing: "src/testing/index.ts",
    // What a thread of the backend of threads runs.
    thread: "src/threads/thread.ts",
  }),
);
