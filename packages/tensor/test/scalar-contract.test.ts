import { describe, it } from "vitest";
import { scalarBackend } from "../src/scalar/scalar-backend.ts";
import { backendContract } from "../src/testing/index.ts";

describe("the scalar backend keeps the contract, to the bit", () => {
  for (const { title, run } of backendContract(() => scalarBackend(), { exact: true })) it(title, run);
});
