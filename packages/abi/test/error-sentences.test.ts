import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type ErrorFacts, GliaError } from "@glia-os/abi/errors";
import { ERROR_CODES } from "@glia-os/abi/errors/all";
import { buildSync } from "esbuild";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const namespaces = readdirSync(join(root, "src/errors/namespaces")).map((file) => basename(file, ".ts"));
const rows = Object.entries<ErrorFacts>(ERROR_CODES);
const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  exports: Record<string, unknown>;
};

type NamespaceError = new (code: string, message: string) => GliaError;

/** The base class that a namespace's subpath exports, and the name it has there. */
async function baseOf(namespace: string): Promise<[string, NamespaceError]> {
  const module = (await import(`@glia-os/abi/errors/${namespace}`)) as Record<string, NamespaceError>;
  const [found, ...more] = Object.entries(module);
  if (found === undefined || more.length > 0) expect.fail(`${namespace} exports one class and nothing else`);
  return found;
}

/** Namespaces of which a program, bundled from source, has a sentence on what to do. */
function sentencesIn(program: string): string[] {
  const { outputFiles } = buildSync({
    stdin: { contents: program, resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    conditions: ["@glia-os/source"],
    logLevel: "error",
  });
  const text = outputFiles.map((file) => file.text).join("");
  const found = rows.filter(([code, { fix }]) => text.includes(code) && text.includes(fix.slice(0, 20)));
  return [...new Set(found.map(([code]) => code.slice(0, code.indexOf("."))))].sort();
}

test("every namespace of the table has a base class at its own subpath", () => {
  const used = new Set(rows.map(([code]) => code.slice(0, code.indexOf("."))));
  used.delete("abi");
  expect(namespaces.sort()).toEqual([...used].sort());
  for (const namespace of namespaces) expect(exports).toHaveProperty([`./errors/${namespace}`]);
});

describe.each(namespaces)("the namespace %s", (namespace) => {
  test("gives every one of its errors the facts of its row", async () => {
    const [, Base] = await baseOf(namespace);
    for (const [code, facts] of rows.filter(([one]) => one.startsWith(`${namespace}.`))) {
      const error = new Base(code, "m");
      expect(error).toBeInstanceOf(GliaError);
      expect(error, code).toMatchObject({ code, message: "m", ...facts });
    }
  });

  test("E4: a program that uses its class carries its sentences and no other's", async () => {
    const [name] = await baseOf(namespace);
    const from = `from "@glia-os/abi/errors/${namespace}"`;
    const used = sentencesIn(`import { ${name} } ${from}; export class Refused extends ${name} {}`);
    expect(used).toEqual([namespace]);
    expect(sentencesIn(`import { ${name} } ${from}; export const one = 1;`)).toEqual([]);
    expect(sentencesIn(`import { ${name} } ${from}; class Refused extends ${name} {}`)).toEqual([]);
  });
});

test("E4: a program that recognises errors carries no namespace's sentences", () => {
  expect(sentencesIn(`export { isGliaError, hasErrorCode } from "@glia-os/abi/errors";`)).toEqual([]);
  expect(sentencesIn(`export * from "@glia-os/abi/errors";`)).toEqual(["abi"]);
  expect(sentencesIn(`export * from "@glia-os/abi";`)).toEqual([]);
  expect(sentencesIn(`export * from "@glia-os/abi/errors/all";`)).toHaveLength(namespaces.length + 1);
});
