import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSystemDigests } from "@glia-os/hal";
import { createFileTree } from "@glia-os/host";
import { type CassetteMode, createCassetteModel, createScriptedModel } from "@glia-os/inference";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { canonicalJson } from "../src/canonical-json.ts";
import { NEVER } from "./provider.ts";

const PATH = "agent.cassette.json";
const ask = (content: string) => ({ messages: [{ role: "user", content }] });
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "glia-cassette-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const scripted = (...words: string[]) => createScriptedModel(words.map((said) => ({ said })));

function cassette(mode: CassetteMode, model = scripted(), secrets: string[] = []) {
  return createCassetteModel({
    files: createFileTree(folder),
    path: PATH,
    digests: createSystemDigests(),
    mode,
    model,
    secrets,
  });
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "it did not fail",
    (error: { code?: string }) => error.code ?? String(error),
  );
}

test("CS1: what was recorded is replayed by request and occurrence, in any order, and nobody is asked", async () => {
  const recording = cassette("record", scripted("one", "two", "other"));
  for (const content of ["same", "same", "different"]) await recording.complete(ask(content), NEVER);
  const model = scripted();
  const replaying = cassette("replay", model);
  expect(await replaying.complete(ask("different"), NEVER)).toEqual({ said: "other" });
  expect(await replaying.complete(ask("same"), NEVER)).toEqual({ said: "one" });
  expect(await replaying.complete({ ...ask("same") }, NEVER)).toEqual({ said: "two" });
  expect(model.asked).toEqual([]);
});

test("CS3: a miss names where the nearest recorded request differs, and changes nothing", async () => {
  await cassette("record", scripted("one")).complete({ ...ask("hello"), temperature: 0 }, NEVER);
  const before = readFileSync(join(folder, PATH));
  const replaying = cassette("replay");
  await expect(replaying.complete({ ...ask("hallo"), temperature: 0 }, NEVER)).rejects.toMatchObject({
    code: "inference.cassette-miss",
    details: { nearest: "messages[0].content", occurrence: 0 },
  });
  expect(await replaying.complete({ ...ask("hello"), temperature: 0 }, NEVER)).toEqual({ said: "one" });
  await expect(replaying.complete({ ...ask("hello"), temperature: 0 }, NEVER)).rejects.toMatchObject({
    details: { nearest: "the number of times it was asked", occurrence: 1 },
  });
  expect(readFileSync(join(folder, PATH))).toEqual(before);
});

test("auto asks only for what is missing and keeps it, also when many ask at once", async () => {
  await cassette("auto", scripted("one")).complete(ask("a"), NEVER);
  const model = scripted("two", "three", "four");
  const both = cassette("auto", model);
  await Promise.all(["a", "b", "c", "d"].map((content) => both.complete(ask(content), NEVER)));
  expect(model.asked.length).toBe(3);
  const replaying = cassette("replay");
  expect(
    await Promise.all(["a", "b", "c", "d"].map((content) => replaying.complete(ask(content), NEVER))),
  ).toEqual([{ said: "one" }, { said: "two" }, { said: "three" }, { said: "four" }]);
});

test("CS4: named secrets, secret names and the form of well-known keys never reach the file, and the request is found still", async () => {
  const request = {
    ...ask("the password is hunter22, my key sk-abcdefghijklmnop1234"),
    headers: { Authorization: "Basic eHl6" },
  };
  const model = createScriptedModel([{ said: "hunter22 and ghp_0123456789abcdefghij0123" }]);
  await cassette("record", model, ["hunter22"]).complete(request, NEVER);
  const file = readFileSync(join(folder, PATH), "utf8");
  for (const secret of ["hunter22", "sk-abc", "ghp_", "eHl6"]) expect(file).not.toContain(secret);
  expect(model.asked[0]).toEqual(request);
  expect(await cassette("replay", scripted(), ["hunter22"]).complete(request, NEVER)).toEqual({
    said: "[secret] and [secret]",
  });
});

test("a request that failed is not recorded", async () => {
  const model = createScriptedModel([new RangeError("down"), { said: "up" }]);
  const recording = cassette("auto", model);
  await expect(recording.complete(ask("a"), NEVER)).rejects.toThrow("down");
  await recording.complete(ask("b"), NEVER);
  expect(readFileSync(join(folder, PATH), "utf8")).not.toContain("down");
});

test("a cassette that is missing, no JSON, of another format or without answers is refused by name, and not overwritten", async () => {
  expect(await codeOf(cassette("replay").complete(ask("a"), NEVER))).toBe("inference.bad-cassette");
  for (const content of [
    "{",
    "null",
    '{"cassette":2,"entries":[]}',
    '{"cassette":1}',
    '{"cassette":1,"entries":[{}]}',
  ]) {
    writeFileSync(join(folder, PATH), content);
    for (const mode of ["replay", "auto"] as const)
      expect(await codeOf(cassette(mode, scripted("x")).complete(ask("a"), NEVER))).toBe(
        "inference.bad-cassette",
      );
    expect(readFileSync(join(folder, PATH), "utf8")).toBe(content);
  }
});

test("a script with no more answers fails, and one that repeats gives its last", async () => {
  const short = scripted("only");
  await short.complete({}, NEVER);
  expect(await codeOf(short.complete({}, NEVER))).toBe("inference.script-ended");
  const repeating = createScriptedModel([{ said: 1 }, (_request, number) => ({ said: number })], {
    repeat: true,
  });
  for (const said of [1, 1, 2]) expect(await repeating.complete({}, NEVER)).toEqual({ said });
});

test("canonical JSON does not depend on the order in which names were set", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const turned = Object.fromEntries(Object.entries(value).reverse());
      expect(canonicalJson(turned)).toBe(canonicalJson(value));
    }),
  );
});
