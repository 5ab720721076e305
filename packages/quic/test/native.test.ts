/** The addon itself: whatever JavaScript passes, it throws or does nothing. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadQuic } from "../src/index.ts";
import type { NativeEndpoint } from "../src/native.ts";
import { noAddon } from "./addon.ts";
import { makeIdentity } from "./identity.ts";

const junk = fc.oneof(
  fc.constantFrom(
    undefined,
    null,
    Number.NaN,
    -1,
    2 ** 60,
    1.5,
    "",
    "127.0.0.1",
    true,
    {},
    [],
    new Uint8Array(),
    Number.POSITIVE_INFINITY,
  ),
  fc.integer(),
  fc.uint8Array({ maxLength: 64 }),
  fc.string({ maxLength: 64 }),
  fc.double(),
);

describe.skipIf(noAddon !== undefined)(
  `the addon, needs a compiler and Node's headers${noAddon ?? ""}`,
  () => {
    test("no arguments of any kind end the process or open anything", async () => {
      const native = loadQuic() as unknown as Record<string, (...args: unknown[]) => unknown>;
      const { certificate, key } = await makeIdentity();
      const alpn = Uint8Array.of(1, 120);
      const closed = Promise.withResolvers<void>();
      const callback = (event: number): void => {
        if (event === 10) closed.resolve();
      };
      const endpoint = native["create"]!(
        "127.0.0.1",
        0,
        certificate,
        key,
        alpn,
        "X25519",
        true,
        1000,
        4,
        4,
        callback,
      ) as NativeEndpoint;
      const names = Object.keys(native).filter(
        (name) => name !== "close" && name !== "connect" && name !== "keepAlive",
      );
      fc.assert(
        fc.property(
          fc.constantFrom(...names),
          fc.boolean(),
          fc.array(junk, { maxLength: 11 }),
          (name, isOurs, args) => {
            try {
              native[name]!(...(isOurs ? [endpoint, ...args] : args));
            } catch (error) {
              expect((error as { code?: string }).code).toMatch(/^(argument|identity|groups|socket|memory)$/);
            }
          },
        ),
        { numRuns: 3000, verbose: true },
      );
      expect(native["stats"]!(endpoint)).toMatchObject({ connections: 0, streams: 0 });
      native["close"]!(endpoint);
      native["close"]!(endpoint);
      await closed.promise;
      expect(native["stats"]!(endpoint)).toBeUndefined();
      expect(native["connect"]!(endpoint, "127.0.0.1", 9)).toBe(0);
    });
  },
);
