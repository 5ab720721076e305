import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const page = readFileSync(new URL("../../../docs/supervision.md", import.meta.url), "utf8");

/** The cells of the conformance table. */
function rows(): readonly (readonly string[])[] {
  const [, section = ""] = page.split("## OTP conformance");
  const [table = ""] = section.split("\n## ");
  const lines = table.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The titles of this package's tests. */
function titles(): ReadonlySet<string> {
  const here = new URL(".", import.meta.url);
  const texts = readdirSync(here).map((name) =>
    name.endsWith(".ts") ? readFileSync(new URL(name, here), "utf8") : "",
  );
  return new Set(texts.flatMap((text) => [...text.matchAll(/^test\("([^"]+)"/gm)].map((match) => match[1]!)));
}

test("every row of the OTP conformance table names its source and a test that exists", () => {
  const known = titles();
  expect(rows().length).toBeGreaterThan(40);
  for (const [behaviour = "", source = "", title = ""] of rows()) {
    expect(behaviour.length).toBeGreaterThan(10);
    expect(source).toMatch(/^(supervisor|gen_server|erlang|Supervision Principles)/);
    expect(known, behaviour).toContain(title);
  }
});

test("every test of OTP's behaviour stands in the conformance table", () => {
  const shown = new Set(rows().map(([, , title]) => title));
  for (const title of titles()) if (title.startsWith("OTP: ")) expect(shown).toContain(title);
});
