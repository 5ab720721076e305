/** Values that a careless or hostile program may pass where something else is expected; shared by the fuzzing tests. */
import { GliaError } from "@glia-os/abi/errors";
import fc from "fast-check";

const GETTER = "a getter that throws";

function refuse(): never {
  throw new RangeError(GETTER);
}

/** One of them. */
export const hostile: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
  undefined,
  null,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -1,
  -0,
  0.5,
  2 ** 31,
  2 ** 53,
  2 ** 60,
  10n,
  "",
  "__proto__",
  "x".repeat(10_000),
  "\0",
  Symbol("key"),
  {},
  [],
  [[]],
  [null],
  () => 1,
  function* () {},
  async () => undefined,
  Object.create(null),
  new Proxy({}, {}),
  Object.freeze({ kind: "receive", subject: 1 }),
  { toString: null, valueOf: null },
  Object.defineProperties(
    {},
    Object.fromEntries(
      ["kind", "by", "length", "name", "id", "capacity"].map((key) => [
        key,
        { enumerable: true, get: refuse },
      ]),
    ),
  ),
  new Uint8Array(4),
  new Uint8Array(new SharedArrayBuffer(4)),
  new Date(0),
  /x/,
  new Map(),
  { url: 1 },
  { operation: "write", path: "a" },
  { priority: "system", give: [1], name: 7, quantum: -1 },
  { capacity: -1 },
  { leases: 7 },
  { by: 1 },
);

/** Whether an error is one that bad input may bring: a typed one, or what the input itself threw. */
export function isExpected(error: unknown): boolean {
  return error instanceof GliaError || (error instanceof RangeError && error.message === GETTER);
}
