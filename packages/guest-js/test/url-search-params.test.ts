/** `URLSearchParams` of agents says what Node's own says (UP1, UP2 of guest/url-search-params.ts). */
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { admitted, inline } from "./agent-modules.ts";
import { Driven } from "./drive.ts";

/** What both are made to do: the agent's source, and here. */
const STEPS = `(text) => {
  const p = new URLSearchParams(text);
  const before = [...p];
  p.append("é &=+", "~!'()*-._ \\ud800");
  p.set("a", "1");
  p.delete("b");
  p.delete("c", "2");
  const after = { all: p.getAll("a"), has: p.has("c", "3"), none: p.get("none"), size: p.size, text: String(p) };
  p.sort();
  return { before, after, sorted: String(p), again: [...new URLSearchParams(String(p))] };
}`;
const here = new Function(`return ${STEPS}`)() as (text: string) => unknown;

let driven: Driven;
beforeAll(async () => {
  const source = `import { inbox } from "@glia-os/guest-js";
    const steps = ${STEPS};
    for await (const m of inbox) m.reply(steps(m.json()));`;
  driven = new Driven(await admitted(await inline(source)));
});

function same(text: string): void {
  const said = driven.ask(JSON.stringify(text));
  expect(JSON.parse(said ?? "null")).toEqual(JSON.parse(JSON.stringify(here(text))));
}

it("for the cases of the standard that are easy to get wrong", () => {
  for (const text of [
    "",
    "?",
    "?a=b&a=c",
    "&&a&=x&a=b=c",
    "%",
    "%4",
    "%zz%41",
    "a+b=%2B+",
    "%C3%A9=é",
    "%C3",
    "%EF%BB%BFa=1",
    "c=2&c=3&b=1",
    "%e2%82%AC=%AC",
  ])
    same(text);
});

/** Node's own takes the low bytes of other characters where an escape beside them is broken; so the two are asked apart. */
it("for any text made of escapes, and for any without", () => {
  const marks = ["&", "=", "+", "?", "a", "b", "c", "2", " ", "#"] as const;
  const escapes = fc.constantFrom(...marks, "%", "%C3", "%A9", "%20", "%2", "%f0%9f%92%a1");
  const texts = fc.constantFrom(...marks, "é", "💡", "\ufeff");
  const text = fc.oneof(fc.array(escapes, { maxLength: 12 }), fc.array(texts, { maxLength: 12 }));
  fc.assert(
    fc.property(text, (pieces) => same(pieces.join(""))),
    { numRuns: 200 },
  );
});

it("beside a broken escape other characters stay, and lone surrogates become U+FFFD", () => {
  const said = driven.ask(JSON.stringify("é%C3=\ud800%zz💡"));
  expect(JSON.parse(said ?? "null")).toMatchObject({ before: [["é\ufffd", "\ufffd%zz💡"]] });
});
