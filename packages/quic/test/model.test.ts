/** Random sequences of everything an endpoint can do, against the model of operations.ts. */
import fc from "fast-check";
import { describe, test } from "vitest";
import { noAddon } from "./addon.ts";
import { makeIdentity } from "./identity.ts";
import { KINDS, runOperations } from "./operations.ts";

const soak = process.env["GLIA_SOAK"] === "1";

const operation = fc.record({
  kind: fc.constantFrom(...KINDS),
  which: fc.nat({ max: 1000 }),
  size: fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 100_000 })),
});

describe.skipIf(noAddon !== undefined)(
  `random operations, needs a compiler and Node's headers${noAddon ?? ""}`,
  () => {
    const numRuns = soak ? 300 : 15;

    test(`${numRuns} sequences deliver the bytes that were written, and leave nothing open`, async () => {
      const identities = [await makeIdentity(), await makeIdentity()];
      const first = [
        { kind: "connect", which: 0, size: 0 } as const,
        { kind: "connect", which: 1, size: 0 } as const,
      ];
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { minLength: 30, maxLength: 150 }), async (operations) => {
          await runOperations([...first, ...operations], identities);
        }),
        { numRuns },
      );
    });
  },
);
