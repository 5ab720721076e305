/** Messages between durable domains: accepted once, in order, whoever dies when. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { Delivery, DurableProgram, Mail } from "@glia-os/durable";
import type { Routine } from "@glia-os/kernel";
import { toolService } from "@glia-os/kernel/services";
import { expect, it } from "vitest";
import { type Death, MailWorld } from "./mailbox-world.ts";

const COUNT = 4;

/** Two tasks send `COUNT` messages each, at the same time; every one waits for its acknowledgement. */
const sender: DurableProgram<string> = {
  name: "sender",
  uses: ["mail"],
  run: (to) =>
    function* (sys, _inbox, mail): Routine<string> {
      const children = ["a", "b"].map((label) =>
        sys.spawn(
          function* (own, post): Routine<void> {
            for (let i = 0; i < COUNT; i++) yield* own.exec(post!, { to, message: `${label}${i}` });
          },
          { give: [mail!] },
        ),
      );
      for (const child of children) yield* sys.wait(child);
      return "sent";
    },
};

/** Keeps what came, one checkpoint per message, in a state that is in the journal. */
const receiver: DurableProgram<readonly string[]> = {
  name: "receiver",
  run: (seen) =>
    function* (sys, inbox): Routine<readonly string[]> {
      const { from, message } = (yield* sys.receive(inbox)) as Mail<string>;
      const all = [...seen, `${from} ${message}`];
      if (all.length === 2 * COUNT) return all;
      return yield* sys.checkpoint(all);
    },
};

async function exchanged(death: Death | undefined): Promise<{ got: readonly string[]; world: MailWorld }> {
  const world = new MailWorld([sender as DurableProgram, receiver as DurableProgram], ["left", "right"]);
  const [left, right] = world.processes as [MailWorld["processes"][0], MailWorld["processes"][0]];
  await left.live();
  await right.live();
  await right.domains.start("ledger", receiver, []);
  await left.domains.start("order", sender, "ledger");
  for (const each of world.processes) each.steps = 0;
  world.death = death;
  const ended = (at: typeof left, name: string): boolean => at.domains.get(name)?.state === "ended";
  await world.until(() => world.died.size === 0 && ended(left, "order") && ended(right, "ledger"));
  expect(await left.domains.get("order")?.result).toBe("sent");
  return { got: (await right.domains.get("ledger")?.result) as readonly string[], world };
}

const byLabel = (got: readonly string[], label: string): readonly string[] =>
  got.filter((each) => each.startsWith(`order ${label}`));

it("every message is accepted once and in the order of its pair, wherever the sender, the receiver or both die", async () => {
  const { world } = await exchanged(undefined);
  const deaths = world.processes.flatMap(({ name, steps }) =>
    Array.from({ length: steps }, (_, i) => i + 1).flatMap((step) =>
      (["before", "after"] as const).flatMap((when) =>
        [true, false].map((all) => ({ at: name, step, when, all })),
      ),
    ),
  );
  expect(deaths.length).toBeGreaterThan(100);
  for (const death of deaths) {
    const { got } = await exchanged(death);
    const said = JSON.stringify(death);
    expect(got.length, said).toBe(2 * COUNT);
    for (const label of ["a", "b"])
      expect(byLabel(got, label), said).toEqual(
        Array.from({ length: COUNT }, (_, i) => `order ${label}${i}`),
      );
  }
  console.log(`mail: ${deaths.length} deaths`);
}, 60_000);

it("a delivery that comes again later is acknowledged and changes nothing, also after the receiver ended", async () => {
  const { world } = await exchanged(undefined);
  const [, right] = world.processes;
  const before = await right?.disk.head("ledger");
  expect(world.delivered.length).toBeGreaterThan(COUNT);
  for (const { delivery } of world.delivered) {
    const last = delivery.messages.at(-1)?.number;
    expect(await right?.domains.deliver(delivery)).toMatchObject({ accepted: last, state: "ok" });
  }
  expect(await right?.disk.head("ledger")).toEqual(before);
});

/** Sends one message after the other and gives back the codes of what was refused. */
const asking: DurableProgram<readonly { to: string; message: unknown }[]> = {
  name: "asking",
  uses: ["mail"],
  run: (requests) =>
    function* (sys, _inbox, mail): Routine<readonly unknown[]> {
      const codes: unknown[] = [];
      for (const request of requests) {
        try {
          const message = request.message === "large" ? "x".repeat(1_048_577) : request.message;
          codes.push(yield* sys.exec(mail!, { to: request.to, message }));
        } catch (error) {
          codes.push(errorCodeOf(error));
        }
      }
      return codes;
    },
};

it("who is not there, has ended, or cannot be a name is refused by code, and what cannot be recorded too", async () => {
  const done: DurableProgram = {
    name: "done",
    run: () =>
      function* (): Routine<null> {
        return null;
      },
  };
  const world = new MailWorld([asking as DurableProgram, done, receiver as DurableProgram], ["one"]);
  const [one] = world.processes as [MailWorld["processes"][0]];
  await one.live();
  await (await one.domains.start("done", done, null as never)).result;
  await one.domains.start("ledger", receiver, []);
  const requests = [
    { to: "nobody", message: 1 },
    { to: "done", message: 1 },
    { to: "", message: 1 },
    { to: "l\u00e4mp", message: 1 },
    { to: "n".repeat(129), message: 1 },
    { to: "ledger", message: "large" },
    { to: "ledger", message: "fits" },
  ];
  const domain = await one.domains.start("asks", asking, requests);
  await world.until(() => domain.state !== "running");
  expect(await domain.result).toEqual([
    "durable.domain-unknown",
    "durable.domain-ended",
    "durable.bad-mail",
    "durable.bad-mail",
    "durable.bad-mail",
    "durable.not-recordable",
    null,
  ]);
});

it("a delivery from elsewhere that is none is refused by name, and nothing is written", async () => {
  const world = new MailWorld([receiver as DurableProgram], ["one"]);
  const [one] = world.processes as [MailWorld["processes"][0]];
  await one.live();
  await one.domains.start("ledger", receiver, []);
  const before = await one.disk.head("ledger");
  const from = "0123456789abcdef:order";
  const good: Delivery = { from, to: "ledger", token: 0, messages: [{ number: 1, message: "m" }] };
  const bad: readonly unknown[] = [
    null,
    7,
    { ...good, from: "order" },
    { ...good, to: "" },
    { ...good, token: -1 },
    { ...good, token: 0.5 },
    { ...good, messages: [] },
    { ...good, messages: Array.from({ length: 65 }, (_, i) => ({ number: i + 1, message: null })) },
    { ...good, messages: [{ number: 0, message: 1 }] },
    {
      ...good,
      messages: [
        { number: 2, message: 1 },
        { number: 2, message: 1 },
      ],
    },
    { ...good, messages: [null] },
  ];
  for (const each of bad)
    expect(await one.domains.deliver(each as Delivery).catch(errorCodeOf), JSON.stringify(each)).toBe(
      "abi.malformed",
    );
  expect(await one.disk.head("ledger")).toEqual(before);
  expect(await one.domains.deliver(good)).toMatchObject({ accepted: 1, state: "ok" });
});

/** Takes messages only when it is told to, by a message of its own kind. */
const lazy: DurableProgram<null> = {
  name: "lazy",
  uses: ["gate"],
  run: () =>
    function* (sys, inbox, gate): Routine<number> {
      yield* sys.exec(gate!, null);
      let count = 0;
      for (; count < 1_010; count++) yield* sys.receive(inbox);
      return count;
    },
};

const pouring: DurableProgram<string> = {
  name: "pouring",
  uses: ["mail"],
  run: (to) =>
    function* (sys, _inbox, mail): Routine<void> {
      for (let i = 0; i < 1_010; i++) yield* sys.exec(mail!, { to, message: i });
    },
};

it("a full inbox holds its sender back, loses nothing, and lets it go on when there is room", async () => {
  const gate = Promise.withResolvers<null>();
  const services = { gate: { service: toolService({ run: () => gate.promise }) } };
  const world = new MailWorld([lazy as DurableProgram, pouring as DurableProgram], ["one"], services);
  const [one] = world.processes as [MailWorld["processes"][0]];
  await one.live();
  const taker = await one.domains.start("taker", lazy, null);
  const giver = await one.domains.start("giver", pouring, "taker");
  let full = 0;
  await world.until(() => taker.mailbox.aside.length === 0 && ++full > 1_500);
  expect(giver.state).toBe("running");
  expect(
    (
      await one.domains.deliver({
        from: "0123456789abcdef:x",
        to: "taker",
        token: 0,
        messages: [{ number: 1, message: 0 }],
      })
    ).state,
  ).toBe("full");
  gate.resolve(null);
  await world.until(() => taker.state === "ended" && giver.state === "ended");
  expect(await taker.result).toBe(1_010);
});

it("a message that waits for an approval holds back the later ones of its pair, and no other", async () => {
  const held = Promise.withResolvers<void>();
  const world = new MailWorld(
    [sender as DurableProgram, receiver as DurableProgram],
    ["one"],
    {},
    (service) => ({
      ...service,
      perform: (request, settle, call) => {
        if ((request as { message: string }).message !== "a0") return service.perform(request, settle, call);
        let stop: (() => void) | undefined;
        held.promise.then(() => {
          stop = service.perform(request, settle, call);
        });
        return () => stop?.();
      },
    }),
  );
  const [one] = world.processes as [MailWorld["processes"][0]];
  await one.live();
  const ledger = await one.domains.start("ledger", receiver, []);
  await one.domains.start("order", sender, "ledger");
  let turns = 0;
  await world.until(() => ++turns > 50);
  expect((await one.disk.head("ledger"))?.nextSeq).toBe(3);
  held.resolve();
  await world.until(() => ledger.state === "ended");
  expect(((await ledger.result) as readonly string[])[0]).toBe("order a0");
});

it("a domain that is started again under an old name is another sender: its messages are no repetitions", async () => {
  const world = new MailWorld([asking as DurableProgram, receiver as DurableProgram], ["one"]);
  const [one] = world.processes as [MailWorld["processes"][0]];
  await one.live();
  const ledger = await one.domains.start("ledger", receiver, []);
  for (let i = 0; i < 2 * COUNT; i++) {
    const again = await one.domains.start("again", asking, [{ to: "ledger", message: i }]);
    await world.until(() => again.state === "ended");
    expect(await again.result).toEqual([null]);
    await one.domains.forget("again");
  }
  await world.until(() => ledger.state === "ended");
  expect(await ledger.result).toEqual(Array.from({ length: 2 * COUNT }, (_, i) => `again ${i}`));
});
