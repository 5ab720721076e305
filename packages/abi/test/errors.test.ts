import { createContext, runInContext } from "node:vm";
import {
  ERROR_CODES,
  errorCodeOf,
  GliaError,
  hasErrorCode,
  isGliaError,
  MalformedError,
  RemoteError,
  toErrorRecord,
} from "@glia-os/abi/errors";
import { expect, test } from "vitest";

test("every code is namespace.kebab-case and says what changed and what to do", () => {
  for (const [code, facts] of Object.entries(ERROR_CODES)) {
    expect(code).toMatch(/^[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(facts.changed, code).toMatch(/\S.*\.$/s);
    expect(facts.fix, code).toMatch(/\S.*\.$/s);
    expect(typeof facts.retryable, code).toBe("boolean");
  }
});

test("E1: the record of an error carries its code, message, change and advice", () => {
  const error = new MalformedError("node id", "it is short", { length: 3 });
  expect(error.toRecord()).toEqual({
    code: "abi.malformed",
    message: "node id is malformed: it is short",
    changed: ERROR_CODES["abi.malformed"].changed,
    fix: ERROR_CODES["abi.malformed"].fix,
    retryable: false,
    details: { what: "node id", why: "it is short", length: 3 },
  });
  expect(error.name).toBe("MalformedError");
});

test("E2: an error can say more precisely what changed and what to do than its table row", () => {
  const error = new GliaError("abi.malformed", "no", { changed: "Two of three.", fix: "Send the third." });
  expect([error.changed, error.fix]).toEqual(["Two of three.", "Send the third."]);
});

test("E3: an error made by another copy of the class is recognised by its brand", () => {
  const foreign: unknown = runInContext(
    `Object.defineProperty(new Error("x"), Symbol.for("@glia-os/error"), { value: true })`,
    createContext({}),
  );
  expect(foreign instanceof Error).toBe(false);
  expect(isGliaError(foreign)).toBe(true);
});

test.each([undefined, null, 7, "text", {}, new Error("plain")])("%s is not a Glia error", (value) => {
  expect(isGliaError(value)).toBe(false);
  expect(errorCodeOf(value)).toBeUndefined();
});

test("an error that crossed the wire keeps its sender's code, also one this build does not know", () => {
  const record = { code: "future.thing", message: "m", changed: "c", fix: "f", retryable: true };
  const error = new RemoteError(record);
  expect(errorCodeOf(error)).toBe("future.thing");
  expect(error.toRecord()).toBe(record);
  expect(hasErrorCode(error, "abi.remote")).toBe(true);
});

test("a foreign exception becomes abi.unexpected and keeps its message", () => {
  expect(toErrorRecord(new TypeError("boom"))).toMatchObject({ code: "abi.unexpected", message: "boom" });
  expect(toErrorRecord("text")).toMatchObject({ code: "abi.unexpected", message: "text" });
});
