/** Realms without a clock: what they refuse, what they leave, and that they share nothing. */
import { createSealedScript, type SealedScript } from "@glia-os/hal";
import { afterEach, expect, it } from "vitest";

class HeardError extends RangeError {}

function sealed(source: string, modules?: Record<string, unknown>): SealedScript {
  return createSealedScript({ source, file: "/program.js", ...(modules === undefined ? {} : { modules }) });
}

/** What a use of an expression was called, if it was refused, and where. */
function heardOf(expression: string): { what: string | undefined; stack: string } {
  const script = sealed(`exports.use = () => ${expression};`);
  const { use } = script.load() as { use: () => unknown };
  let [what, stack]: [string | undefined, string] = [undefined, ""];
  try {
    script.guard.during(use, (heard) => {
      what = heard;
      stack = String(new RangeError().stack);
      throw new HeardError(heard);
    });
  } catch (error) {
    if (!(error instanceof HeardError)) throw error;
  }
  return { what, stack };
}

afterEach(() => {
  // Nothing of the host's own realm is frozen or replaced.
  for (const each of [Object, Function, Array, Date, URL, TextEncoder]) {
    expect(Object.isFrozen(each)).toBe(false);
    expect(Object.isFrozen(each.prototype)).toBe(false);
  }
  expect(Date.now()).toBeGreaterThan(1_600_000_000_000);
});

it.each([
  ["Date.now()", "Date.now"],
  ["new Date()", "new Date()"],
  ["Date()", "Date()"],
  ["new (new Date(0).constructor)()", "new Date()"],
  ["new Date(2026, 1, 1)", "new Date(year, month, ...)"],
  ["new Date('2026-01-01T00:00')", "new Date(text without a time zone)"],
  ["Date.parse('1 Jan 2026')", "Date.parse(text without a time zone)"],
  ["new Date(0).getHours()", "Date.prototype.getHours"],
  ["new Date(0).toString()", "Date.prototype.toString"],
  ["String(new Date(0))", "Date.prototype.toString"],
  ["Temporal.Now.instant()", "Temporal"],
  ["Math.random()", "Math.random"],
  ["setTimeout(() => {}, 1)", "setTimeout"],
  ["globalThis.setImmediate", "setImmediate"],
  ["queueMicrotask(() => {})", "queueMicrotask"],
  ["fetch('http://127.0.0.1:1')", "fetch"],
  ["process.env", "process"],
  ["typeof process", "process"],
  ["Buffer.alloc(1)", "Buffer"],
  ["performance.now()", "performance"],
  ["crypto.randomUUID()", "crypto"],
  ["console.log(1)", "console"],
  ["new WeakRef({})", "WeakRef"],
  ["new Intl.NumberFormat()", "Intl"],
  ["'a'.localeCompare('b')", "String.prototype.localeCompare"],
  ["(1).toLocaleString()", "Number.prototype.toLocaleString"],
  ["require('node:fs').readFileSync('x')", "node:fs.readFileSync"],
  ["Reflect.get(Object.create(Object.getPrototypeOf(require('node:os'))), 'hostname')", "node:os.hostname"],
])("SS2: %s is refused by name, with the place", (expression, name) => {
  const { what, stack } = heardOf(expression);
  expect(what).toBe(name);
  expect(stack).toMatch(/\/program\.js:1:\d+/);
});

it.each([
  ["new Date(0).toISOString()", "1970-01-01T00:00:00.000Z"],
  ["new Date('2026-01-02').getTime()", Date.UTC(2026, 0, 2)],
  ["new Date('2026-01-02T03:04:05+01:00').getUTCHours()", 2],
  ["Date.UTC(2026, 0, 1)", Date.UTC(2026, 0, 1)],
  ["new Date(5) instanceof Date", true],
  ["[3, 1, 2].sort().join()", "1,2,3"],
  ["JSON.stringify({ a: new Date(0) })", '{"a":"1970-01-01T00:00:00.000Z"}'],
  ["new URL('http://a/b').pathname", "/b"],
  ["new TextDecoder().decode(new TextEncoder().encode('é'))", "é"],
  ["(() => { class E extends Error { name = 'E'; } return String(new E('x')); })()", "E: x"],
  ["(() => { const e = new Error('x'); e.name = 'Own'; e.message = 'y'; return String(e); })()", "Own: y"],
  ["(() => { const o = {}; o.toString = () => 'own'; return String(o); })()", "own"],
])("%s is left as it is", (expression, value) => {
  const { use } = sealed(`exports.use = () => ${expression};`).load() as { use: () => unknown };
  expect(use()).toBe(value);
});

it.each([
  "Object.prototype.extra = 1",
  "Array.prototype.push = null",
  "globalThis.extra = 1",
  "Error.prototype.name = 'x'",
  "Object.getPrototypeOf(function* () {}).extra = 1",
  "Object.getPrototypeOf([][Symbol.iterator]()).next = null",
  "Math.random = () => 4",
  "Date.now = () => 4",
])("intrinsics are frozen: %s throws", (assignment) => {
  const { use } = sealed(`exports.use = () => { ${assignment}; };`).load() as { use: () => unknown };
  expect(use).toThrow(/./);
});

it("SS1: what one run leaves in a variable of the module is not there for the next", () => {
  const script = sealed("let runs = 0; exports.run = () => ++runs;");
  const runs = [1, 2, 3].map(() => (script.load() as { run: () => number }).run());
  expect(runs).toEqual([1, 1, 1]);
});

it("modules that are given are required as they are", () => {
  const script = sealed("exports.use = () => require('given').answer;", { given: { answer: 42 } });
  expect((script.load() as { use: () => number }).use()).toBe(42);
});

it("code from text is refused by the engine, and a script that is none by its place", () => {
  const { use } = sealed("exports.use = () => Function('return 1')();").load() as { use: () => unknown };
  expect(use).toThrow(/[Cc]ode generation from strings/);
  expect(() => sealed("exports.use = ;")).toThrow(/Unexpected token/);
});
