import { expect, test } from "vitest";
import { typedErrors } from "../rules/typed-errors.ts";
import { broken, manifest } from "./broken.ts";

const base = { "packages/abi/package.json": manifest("abi"), "apps/cli/package.json": manifest("cli") };

test("a bare Error and a thrown string are refused in packages and apps", () => {
  const files = {
    ...base,
    "packages/abi/src/a.ts": `throw new Error("x");\nthrow Error("x");\nthrow "x";\nthrow \`x\${1}\`;`,
    "apps/cli/src/a.ts": "Promise.reject(new Error());",
  };
  expect(broken(typedErrors, files)).toHaveLength(5);
});

test("a typed error, a check of the class and a test's Error pass", () => {
  const files = {
    ...base,
    "packages/abi/src/a.ts":
      'class A extends Error {}\nthrow new A("new Error(");\nif (e instanceof Error) throw e;',
    "packages/abi/test/a.test.ts": 'throw new Error("x");',
  };
  expect(broken(typedErrors, files)).toEqual([]);
});

test("the table of all codes is refused in shipped code and allowed in tests and scripts", () => {
  const files = {
    ...base,
    "packages/abi/src/a.ts": 'import { KernelError } from "@glia-os/abi/errors/kernel";',
    "apps/cli/src/a.ts": '\nimport { ERROR_CODES } from "@glia-os/abi/errors/all";',
    "packages/abi/test/a.test.ts": 'import { ERROR_CODES } from "@glia-os/abi/errors/all";',
    "packages/abi/scripts/a.ts": 'import { ERROR_CODES } from "@glia-os/abi/errors/all";',
  };
  expect(broken(typedErrors, files)).toEqual(["apps/cli/src/a.ts:2 imports the table of all codes"]);
});
