/** What agents and programs may have under way with their node, and what the node may have with a receiver that takes nothing. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId } from "@glia-os/abi/ids";
import { VirtualTime } from "@glia-os/mesh-core/testing";
import { describe, expect, test } from "vitest";
import { ACTS_MAX, type AgentAct } from "../../src/agents/act.ts";
import { OWN_WAITING } from "../../src/agents/agents-office.ts";
import { agentsService, OUTBOX_MAX, PRESSURE } from "../../src/agents/agents-service.ts";
import { Desk, NAMES_MAX } from "../../src/agents/desk.ts";
import { ABANDONED_MS } from "../../src/agents/mailboxes.ts";
import { deafMesh } from "./office.ts";

const me = "1".repeat(32) as AgentId;
const you = "2".repeat(32) as AgentId;
const tell = { glia: 1, kind: "publish", message: "hello", input: 1 };

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

function publications(count: number): readonly AgentAct[] {
  return Array.from({ length: count }, () => ({
    kind: "publish",
    topic: "news",
    payload: Uint8Array.of(1),
  }));
}

describe("an agent that asks for more than is done", () => {
  test.each([
    ["publish", ["publish", "news", tell]],
    ["find", ["find", 1, "somebody"]],
    ["spawn", ["spawn", 1, { definition: "child" }]],
  ])(
    "AV2: %s counts against it as messages do: it waits at each call, and is refused at the limit",
    (_, act) => {
      let perform: ((request: unknown, settle: unknown, call: unknown) => unknown) | undefined;
      const kernel = {
        service(service: { perform: typeof perform }) {
          perform = service.perform;
          return {};
        },
      };
      agentsService({
        kernel: kernel as never,
        timers: new VirtualTime(),
        cellOf: () => ({ agent: me, manifest: { name: "me" } }),
        acted: () => undefined,
      });
      let settled = 0;
      const call = (count: number): unknown =>
        perform?.(new Array(count).fill(act), { ok: () => settled++ }, { task: 1 });
      call(PRESSURE - 1);
      expect(settled).toBe(1);
      call(1);
      expect(settled).toBe(1);
      for (let held = PRESSURE; held + ACTS_MAX <= OUTBOX_MAX; held += ACTS_MAX) call(ACTS_MAX);
      let code: string | undefined;
      try {
        call(ACTS_MAX);
      } catch (error) {
        code = errorCodeOf(error);
      }
      expect(code).toBe("daemon.outbox-full");
    },
  );

  test("AF6: what is published counts until it is handed over, what is looked up until it is answered", async () => {
    const { office, released, asked } = deafMesh();
    office.acted(me, publications(10));
    expect(released.get(me)).toBeUndefined();
    await until(() => released.get(me) === 10);
    office.acted(me, [{ kind: "find", request: 1, name: "somebody" }]);
    await until(() => asked.length === 1);
    expect(released.get(me)).toBe(10);
    asked[0]?.answer(undefined);
    await until(() => released.get(me) === 11);
    office.close();
  });

  test("AF6: a program outside waits while it has as much under way", async () => {
    const { office, asked } = deafMesh();
    const box = await office.openMailbox();
    const find = (request: number): AgentAct => ({ kind: "find", request, name: `name-${request}` });
    await office.actAs(
      box,
      Array.from({ length: PRESSURE - 1 }, (_, n) => find(n + 1)),
    );
    let went = false;
    const more = office.actAs(box, [find(PRESSURE)]).then(() => {
      went = true;
    });
    await until(() => asked.length === PRESSURE);
    expect(went).toBe(false);
    asked[0]?.answer(undefined);
    await more;
    office.close();
  });
});

describe("a subscriber that takes nothing", () => {
  test("AF6: has so many publications waiting at most; the oldest are dropped, counted, and logged now and then", async () => {
    const { office, released, lines } = deafMesh();
    office.acted(you, [{ kind: "subscribe", topic: "news" }]);
    const rounds = 12;
    for (let round = 1; round <= rounds; round++) {
      office.acted(me, publications(500));
      await until(() => released.get(me) === round * 500);
    }
    expect(office.dropped).toBe(rounds * 500 - OWN_WAITING);
    expect(lines.filter((line) => line.startsWith("messages of the node were dropped"))).toHaveLength(2);
    office.close();
  });
});

describe("what is not there any more", () => {
  test.each([
    ["abandoned", (mesh: ReturnType<typeof deafMesh>) => mesh.time.advance(ABANDONED_MS)],
    ["closed with its node", (mesh: ReturnType<typeof deafMesh>) => mesh.office.close()],
  ])("MB4: a program that waits for room goes on when its mailbox is %s", async (_, end) => {
    const mesh = deafMesh();
    const box = await mesh.office.openMailbox();
    const finds = Array.from({ length: PRESSURE }, (_, n) => ({
      kind: "find" as const,
      request: n + 1,
      name: "somebody",
    }));
    const waiting = mesh.office.actAs(box, finds);
    await end(mesh);
    await waiting;
    await expect(mesh.office.actAs(box, [])).rejects.toMatchObject({ code: "daemon.mailbox-gone" });
  });

  test("DK2: of the names a sender ever sent to, so many are remembered, those of the latest messages", async () => {
    const looked: string[] = [];
    const mesh = deafMesh();
    const desk = new Desk({
      timers: mesh.time,
      open: () => ({ offer: () => true, unacknowledged: 0, close: () => undefined }) as never,
      findName: async (name) => {
        looked.push(name);
        return you;
      },
      released: () => undefined,
      lost: () => undefined,
    });
    const send = async (name: string): Promise<void> => {
      desk.send(name, Uint8Array.of(1));
      await Promise.resolve();
    };
    for (let n = 0; n < NAMES_MAX; n++) await send(`name-${n}`);
    await send("name-0");
    expect(looked).toHaveLength(NAMES_MAX);
    await send("one-more");
    await send("name-0");
    await send("name-1");
    expect(looked.slice(NAMES_MAX)).toEqual(["one-more", "name-1"]);
    desk.close();
    mesh.office.close();
  });
});
