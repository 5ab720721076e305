import { errorCodeOf } from "@glia-os/abi/errors";
import type { Blobs, Journal } from "@glia-os/abi/ports";
import { type DurableProgram, secret } from "@glia-os/durable";
import type { Routine } from "@glia-os/kernel";
import { toolService } from "@glia-os/kernel/services";
import { createMemoryBlobs } from "@glia-os/store/blobs-memory";
import { expect, it } from "vitest";
import { TestWorld } from "./durable-world.ts";

const VALUE = "sk-live-5e3c0ffee77";
const secrets = { api: { value: VALUE, services: ["leaky", "failing"] } };

/** Everything a journal and its blobs hold. */
async function everything(journal: Journal, blobs: Blobs): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (const { domain } of await journal.domains("", 100))
    for await (const { body } of journal.read(domain, 1)) parts.push(body);
  for (const { hash } of await blobs.list("", 1_000)) parts.push((await blobs.get(hash)) as Uint8Array);
  return Buffer.concat(parts);
}

const user: DurableProgram<null> = {
  name: "user",
  uses: ["leaky", "failing", "echo"],
  run: () =>
    function* (sys, _inbox, leaky, failing, echo): Routine<unknown> {
      const request = { headers: { authorization: `Bearer ${secret("api")}` }, list: [secret("api")] };
      const answer = yield* sys.exec(leaky!, request);
      const refusals: unknown[] = [];
      for (const [tool, text] of [
        [failing!, secret("api")],
        [echo!, secret("api")],
        [leaky!, secret("other")],
      ] as const) {
        try {
          refusals.push(yield* sys.exec(tool, text));
        } catch (error) {
          refusals.push([errorCodeOf(error), (error as Error).message]);
        }
      }
      return { answer, refusals };
    },
};

it("SE1: services get the value, and no byte of it is in the journal or its blobs, also when they repeat it in texts, keys, bytes and errors", async () => {
  const got: unknown[] = [];
  const leaky = async (input: unknown) => {
    got.push(input);
    const bytes = new Uint8Array(Buffer.from(`....${VALUE}....${VALUE}`));
    return { [`x${VALUE}`]: [VALUE, { deep: `a ${VALUE} b` }], bytes, large: VALUE.repeat(10_000) };
  };
  const failing = async (input: unknown): Promise<never> => {
    throw new RangeError(`${String(input)} was refused`);
  };
  const blobs = createMemoryBlobs();
  const services = {
    leaky: { service: toolService({ run: leaky }) },
    failing: { service: toolService({ run: failing }) },
  };
  const world = new TestWorld([user], services, undefined, { secrets, blobs });
  const result = await (await world.domains.start("u", user, null)).result;
  expect(got[0]).toEqual({ headers: { authorization: `Bearer ${VALUE}` }, list: [VALUE] });
  expect(result).toMatchObject({
    answer: { [`x${secret("api")}`]: [secret("api"), { deep: `a ${secret("api")} b` }] },
    refusals: [
      [expect.anything(), expect.stringContaining("{{secret:api}} was refused")],
      ["durable.secret-refused", expect.stringContaining("other services")],
      ["durable.secret-refused", expect.stringContaining("none of this name")],
    ],
  });
  const held = await everything(world.journal, blobs);
  expect(held.length).toBeGreaterThan(5_000);
  expect(held.includes(VALUE)).toBe(false);
  expect(held.includes(VALUE.slice(0, 12))).toBe(false);
  expect(world.performed).toEqual([]);
  world.restart();
  expect(await world.domains.recover()).toMatchObject({ ended: ["u"], refused: [] });
  expect(await world.domains.get("u")?.result).toEqual(result);
});

it("a secret that is too short, too long, not ASCII or badly named is refused when the domains are made", () => {
  const make = (name: string, value: string) => () =>
    new TestWorld([user], {}, undefined, { secrets: { [name]: { value, services: [] } } });
  for (const value of ["short", "x".repeat(4_097), "ümlaut-and-more"])
    expect(make("api", value)).toThrow(/secret api was refused/);
  expect(make("bad name", VALUE)).toThrow(/was refused/);
  expect(make("a".repeat(65), VALUE)).toThrow(/was refused/);
});
