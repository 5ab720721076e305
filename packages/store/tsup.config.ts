import { defineConfig } from "tsup";
import { library } from "../../tsup.base.ts";

export default defineConfig(
  library({
    index: "src/index.ts",
    journal: "src/journal/file/file-journal.ts",
    "journal-memory": "src/journal/memory.ts",
    "journal-reader": "src/journal/file/journal-reader.ts",
    "journal-testing": "src/journal/testing.ts",
    "journal-worker": "src/journal/file/journal-worker.ts",
    memory: "src/memory.ts",
    sqlite: "src/sqlite.ts",
    "sqlite-worker": "src/sqlite-worker.ts",
    testing: "src/testing.ts",
  }),
);
