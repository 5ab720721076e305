/** Every rule, in the order they report. */
import type { Rule } from "../rule.ts";
import { declaredImports } from "./declared-imports.ts";
import { deepImports } from "./deep-imports.ts";
import { documentedExports } from "./documented-exports.ts";
import { environment } from "./environment.ts";
import { importCycles } from "./import-cycles.ts";
import { layerTable } from "./layers.ts";
import { listed } from "./listed.ts";
import { machinePaths } from "./machine-paths.ts";
import { noAny } from "./no-any.ts";
import { noDefaultExport } from "./no-default-export.ts";
import { sansIoBuilt, sansIoSource } from "./sans-io.ts";
import { sizes } from "./sizes.ts";
import { stubPhrases } from "./stub-phrases.ts";
import { testsRun } from "./tests-run.ts";
import { typedErrors } from "./typed-errors.ts";

export const rules: readonly Rule[] = [
  layerTable,
  declaredImports,
  deepImports,
  importCycles,
  sansIoSource,
  sansIoBuilt,
  noAny,
  stubPhrases,
  typedErrors,
  documentedExports,
  noDefaultExport,
  testsRun,
  listed,
  machinePaths,
  sizes,
  environment,
];
