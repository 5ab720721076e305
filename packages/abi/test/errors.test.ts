import { createContext, runInContext } from "node:vm";
import {
  errorCodeOf,
  hasErrorCode,
  isGliaError,
  MalformedError,
  RemoteError,
  toErrorRecord,
} from "@glia-os/abi/errors";
import { ERROR_CODES } from "@glia-os/abi/errors/all";
import { KernelError } from "@glia-os/abi/errors/kernel";
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
  const error = new KernelError("kernel.bad-option", "no", {
    changed: "Two of three.",
    fix: "Send the third.",
  });
  expect([error.changed, error.fix]).toEqual(["Two of three.", "Send the third."]);
});

test("E1: an error of a namespace has the sentences of its row, and a refusal keeps the name of its class", () => {
  const error = new KernelError("kernel.bad-option", "no");
  expect(error).toMatchObject({ name: "KernelError", ...ERROR_CODES["kernel.bad-option"] });
});

test("E5: a code that is newer than the table is kept and its sentences say that they are unknown", () => {
  const error = new KernelError("kernel.of-tomorrow" as never, "no", { details: { seen: 1 } });
  expect(error.toRecord()).toEqual({
    code: "kernel.of-tomorrow",
    message: "no",
    changed: expect.stringMatching(/^Unknown: /) as string,
    fix: expect.stringContaining("@glia-os/abi") as string,
    retryable: false,
    details: { seen: 1 },
  });
  const known = new KernelError("kernel.of-tomorrow" as never, "no", { changed: "Nothing.", fix: "Wait." });
  expect([known.changed, known.fix]).toEqual(["Nothing.", "Wait."]);
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
