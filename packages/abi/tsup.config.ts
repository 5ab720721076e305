import { readdirSync } from "node:fs";
import { defineConfig } from "tsup";
import { library } from "../../tsup.base.ts";

const namespaces = readdirSync(new URL("src/errors/namespaces", import.meta.url));

export default defineConfig(
  library({
    index: "src/index.ts",
    errors: "src/errors/index.ts",
    "errors/all": "src/errors/all.ts",
    ...Object.fromEntries(
      namespaces.map((file) => [`errors/${file.replace(/\.ts$/, "")}`, `src/errors/namespaces/${file}`]),
    ),
    ids: "src/ids/index.ts",
    ports: "src/ports/index.ts",
    syscalls: "src/syscalls/index.ts",
    // Files of their own, though no exports: who needs the rights alone, as the kernel does, is not to bundle the whole table.
    "syscalls/rights": "src/syscalls/rights.ts",
    "syscalls/table": "src/syscalls/table.ts",
    testing: "src/testing/index.ts",
    wire: "src/wire/index.ts",
  }),
);
