import { once } from "node:events";
import { connect as dial } from "node:net";
import { expect, test } from "vitest";
import { steps } from "../01-task.ts";
import { conversation } from "../02-scheduler.ts";
import { untilTheLast } from "../03-exit.ts";
import { whoAmI } from "../04-system-calls.ts";
import { parent } from "../05-spawn-and-kill.ts";
import { waiter } from "../06-wait.ts";
import { waitBesideWork } from "../07-readiness.ts";
import { startEcho } from "../08-echo-server.ts";
import { runAlone } from "../machine.ts";

test("step 1: a task runs on at each yield and gives a value", async () => {
  expect(await runAlone((sys) => steps(sys))).toEqual({ kind: "ok", value: ["begun", "went on", "ends"] });
});

test("step 2: two tasks take turns", async () => {
  expect(await conversation()).toEqual(["foo", "bar", "foo", "bar", "foo", "bar"]);
});

test("step 3: the kernel ends with its last task", async () => {
  const { said, left } = await untilTheLast();
  expect(said.filter((name) => name === "short")).toHaveLength(2);
  expect(said.filter((name) => name === "long")).toHaveLength(5);
  expect(left).toBe(0);
});

test("step 4: every call gets its own answer and no other", async () => {
  const value = { same: true, nothing: undefined, bytes: 4, none: undefined };
  expect(await runAlone((sys) => whoAmI(sys))).toEqual({ kind: "ok", value });
});

test("step 5: a killed child runs its finally and nothing else", async () => {
  const exit = await runAlone((sys) => parent(sys));
  expect(exit).toMatchObject({ kind: "ok", value: { exit: { kind: "killed", reason: "seen enough" } } });
  const notes = exit.kind === "ok" ? exit.value.notes : [];
  expect(notes.at(-1)).toBe("child cleans up");
  expect(notes.filter((note) => note === "child cleans up")).toHaveLength(1);
  expect(notes.length).toBeGreaterThan(3);
});

test("step 6: waiting tells how a task ended, also late and also when it failed", async () => {
  expect(await runAlone((sys) => waiter(sys))).toMatchObject({
    kind: "ok",
    value: [
      { kind: "ok", value: "done" },
      { kind: "failed", error: { message: "no such luck" } },
      { kind: "ok", value: "done" },
    ],
  });
});

test("step 7: a task that waits for a socket keeps nobody else from running", async () => {
  expect(await waitBesideWork()).toEqual({ text: "hello", turns: 10 });
});

const CLIENTS = 300;
const ROUNDS = 5;

/** One client: sends `ROUNDS` messages, each when the one before came back whole, then ends. */
async function converse(port: number, client: number): Promise<number> {
  const socket = dial({ host: "127.0.0.1", port });
  await once(socket, "connect");
  let same = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const sent = Buffer.alloc(100 + client, `${client}.${round} `);
    socket.write(sent);
    let got = Buffer.alloc(0);
    while (got.length < sent.length)
      got = Buffer.concat([got, ((await once(socket, "data")) as [Buffer])[0]]);
    if (got.equals(sent)) same++;
  }
  socket.end();
  await once(socket, "close");
  return same;
}

test(`step 8: ${CLIENTS} clients at once each get back exactly what they sent, and leave nothing behind`, async () => {
  const { machine, server } = await startEcho();
  const clients = Array.from({ length: CLIENTS }, (_, client) => converse(server.port, client));
  expect(await Promise.all(clients)).toEqual(new Array(CLIENTS).fill(ROUNDS));
  while (machine.kernel.liveTasks > 1) await new Promise((resolve) => setImmediate(resolve));
  expect(machine.kernel.counters().failed).toBe(0);
  server.close();
  expect(await machine.stop(1000)).toBe("clean");
});

test("step 8: a client that breaks off ends its own task only", async () => {
  const { machine, server } = await startEcho();
  const rude = dial({ host: "127.0.0.1", port: server.port });
  await once(rude, "connect");
  rude.write("half a word");
  await once(rude, "data");
  rude.resetAndDestroy();
  expect(await converse(server.port, 1)).toBe(ROUNDS);
  server.close();
  await machine.stop(1000);
});
