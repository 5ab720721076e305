import { defineConfig } from "tsup";
import { library } from "../../tsup.base.ts";

export default defineConfig(
  library({
    index: "src/index.ts",
    blobs: "src/blobs/file/file-blobs.ts",
    "blobs-memory": "src/blobs/memory.ts",
    "blobs-testing": "src/blobs/testing.ts",
    "blobs-worker": "src/blobs/file/blobs-worker.ts",
    "etcd-coordination": "src/etcd/coordination/etcd-coordination.ts",
    journal: "src/journal/file/file-journal.ts",
    "journal-memory": "src/journal/memory.ts",
    "journal-reader": "src/journal/file/journal-reader.ts",
    "journal-replica": "src/replica/replica-journal.ts",
    "journal-sqlite": "src/journal/sqlite/sqlite-journal.ts",
    "journal-sqlite-worker": "src/journal/sqlite/sqlite-journal-worker.ts",
    "journal-testing": "src/journal/testing.ts",
    "journal-worker": "src/journal/file/journal-worker.ts",
    "key-value": "src/key-value/sqlite/sqlite-key-value.ts",
    "key-value-memory": "src/key-value/memory.ts",
    "key-value-testing": "src/key-value/testing.ts",
    "key-value-worker": "src/key-value/sqlite/key-value-worker.ts",
    memory: "src/memory.ts",
    "postgres-coordination": "src/postgres/coordination/postgres-coordination.ts",
    "postgres-journal": "src/postgres/journal/postgres-journal.ts",
    sqlite: "src/sqlite.ts",
    "sqlite-fences": "src/fences/sqlite-fences.ts",
    "sqlite-worker": "src/sqlite-worker.ts",
    testing: "src/testing.ts",
  }),
);
