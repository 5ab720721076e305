import { once } from "node:events";
import { connect as dial, type Socket } from "node:net";
import { RIGHTS } from "@glia-os/abi/syscalls";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { accept, connect, listen, type RunningKernel, recv, runKernel, send } from "@glia-os/host";
import { createKernel, type Handle, type Kernel, type Sys } from "@glia-os/kernel";
import { afterEach, expect, test } from "vitest";

const kernels: RunningKernel[] = [];

function machine(): { readonly kernel: Kernel; readonly running: RunningKernel } {
  const kernel = createKernel({ clock: createSystemClock(), random: createSystemRandom() });
  const running = runKernel(kernel, { timers: createSystemTimers() });
  kernels.push(running);
  return { kernel, running };
}

afterEach(async () => {
  for (const running of kernels.splice(0)) await running.stop(1000);
});

function* echo(sys: Sys, connection: Handle) {
  for (;;) {
    const bytes = yield* recv(sys, connection, 4096);
    if (bytes.length === 0) return;
    yield* send(sys, connection, bytes);
  }
}

function* echoServer(sys: Sys, listener: Handle) {
  for (;;) {
    const connection = yield* accept(sys, listener);
    sys.spawn(echo, { give: [connection] });
    sys.drop(connection);
  }
}

async function exchange(port: number, text: string): Promise<string> {
  const socket = dial({ host: "127.0.0.1", port });
  let answer = "";
  socket.setEncoding("utf8").on("data", (part: string) => (answer += part));
  socket.end(text);
  await once(socket, "close");
  return answer;
}

test("an echo server serves clients one after another and side by side", async () => {
  const { kernel } = machine();
  const server = await listen(kernel);
  kernel.spawn(echoServer, { give: [server.handle] });
  expect(await exchange(server.port, "first")).toBe("first");
  const texts = Array.from({ length: 20 }, (_, i) => `client ${i} `.repeat(i + 1));
  expect(await Promise.all(texts.map((text) => exchange(server.port, text)))).toEqual(texts);
  server.close();
});

test("N3: a megabyte goes through a socket whose reader is slow, whole and in order", async () => {
  const { kernel, running } = machine();
  const server = await listen(kernel);
  const sent = Uint8Array.from({ length: 1_000_000 }, (_, i) => i % 251);
  const writer = kernel.spawn(
    function* (sys, listener: Handle) {
      const connection = yield* accept(sys, listener);
      yield* send(sys, connection, sent);
    },
    { give: [server.handle] },
  );
  const client = await connect(kernel, { port: server.port });
  const reader = kernel.spawn(
    function* (sys, socket: Handle) {
      const parts: Uint8Array[] = [];
      for (;;) {
        const bytes = yield* recv(sys, socket, 1000);
        if (bytes.length === 0) return Buffer.concat(parts);
        parts.push(bytes);
        yield* sys.yield();
      }
    },
    { give: [client] },
  );
  expect(await running.exitOf(writer)).toMatchObject({ kind: "ok" });
  const exit = await running.exitOf<Buffer>(reader);
  expect(exit.kind === "ok" && exit.value.equals(sent)).toBe(true);
  server.close();
});

test("several tasks that wait for one real socket are all woken (seed defect: lost second waiter)", async () => {
  const { kernel, running } = machine();
  const server = await listen(kernel);
  const socket = dial({ host: "127.0.0.1", port: server.port });
  const main = kernel.spawn(
    function* (sys, listener: Handle) {
      const connection = yield* accept(sys, listener);
      const waiters = Array.from({ length: 3 }, () =>
        sys.spawn(
          function* (sys, connection: Handle) {
            yield* sys.readWait(connection);
            return sys.readFrom(connection, 4096)?.length ?? 0;
          },
          { give: [connection] },
        ),
      );
      yield* sys.yield();
      socket.write("twelve bytes");
      const counts: unknown[] = [];
      for (const id of waiters) counts.push(yield* sys.wait(id));
      return counts;
    },
    { give: [server.handle] },
  );
  expect(await running.exitOf(main)).toMatchObject({
    kind: "ok",
    value: [12, 0, 0].map((value) => ({ kind: "ok", value })),
  });
  socket.destroy();
  server.close();
});

async function waitingConnection(ending: (socket: Socket) => void): Promise<unknown> {
  const { kernel, running } = machine();
  const server = await listen(kernel);
  const socket = dial({ host: "127.0.0.1", port: server.port });
  const main = kernel.spawn(
    function* (sys, listener: Handle) {
      const connection = yield* accept(sys, listener);
      const waiters = ["readWait", "writeWait"] as const;
      const ids = waiters.map((wait) =>
        sys.spawn(
          function* (sys, connection: Handle) {
            if (wait === "writeWait") for (;;) yield* send(sys, connection, new Uint8Array(65_536));
            for (;;) {
              const bytes = yield* recv(sys, connection, 1);
              if (bytes.length === 0) yield* sys.sleep(1);
            }
          },
          { give: [connection] },
        ),
      );
      sys.spawn(
        function* (sys) {
          yield* sys.sleep(20);
          ending(socket);
        },
        { give: [] },
      );
      const codes: unknown[] = [];
      for (const id of ids) {
        const exit = yield* sys.wait(id);
        codes.push(exit.kind === "failed" ? (exit.error as { code: string }).code : exit.kind);
      }
      return codes;
    },
    { give: [server.handle] },
  );
  const exit = await running.exitOf(main);
  server.close();
  return exit;
}

test("N4: a connection that is reset wakes its reader and its writer with a typed error", async () => {
  const exit = await waitingConnection((socket) => socket.resetAndDestroy());
  expect(exit).toEqual({ kind: "ok", value: ["host.socket-failed", "host.socket-failed"] });
});

test("closing from a task wakes the other tasks with a typed error and ends the connection", async () => {
  const { kernel, running } = machine();
  const server = await listen(kernel);
  const socket = dial({ host: "127.0.0.1", port: server.port });
  const main = kernel.spawn(
    function* (sys, listener: Handle) {
      const connection = yield* accept(sys, listener);
      const reader = sys.spawn(
        function* (sys, connection: Handle) {
          yield* recv(sys, connection, 1);
        },
        { give: [{ handle: connection, rights: RIGHTS.read }] },
      );
      yield* sys.yield();
      sys.closeResource(connection);
      return yield* sys.wait(reader);
    },
    { give: [server.handle] },
  );
  const closed = once(socket.resume(), "close");
  expect(await running.exitOf(main)).toMatchObject({
    value: { kind: "failed", error: { code: "kernel.resource-closed" } },
  });
  await closed;
  server.close();
});

test("a killed task's connection is closed", async () => {
  const { kernel, running } = machine();
  const server = await listen(kernel);
  const socket = dial({ host: "127.0.0.1", port: server.port });
  const task = kernel.spawn(
    function* (sys, listener: Handle) {
      const connection = yield* accept(sys, listener);
      sys.kill(sys.getTid());
      yield* recv(sys, connection, 1);
    },
    { give: [server.handle] },
  );
  const closed = once(socket.resume(), "close");
  expect(await running.exitOf(task)).toMatchObject({ kind: "killed" });
  await closed;
});

test("N5: connections beyond the backlog are closed and counted", async () => {
  const { kernel } = machine();
  const server = await listen(kernel, { backlog: 2 });
  const sockets = Array.from({ length: 6 }, () => dial({ host: "127.0.0.1", port: server.port }));
  const closed = sockets.map((socket) =>
    once(
      socket.resume().on("error", () => undefined),
      "close",
    ),
  );
  await Promise.race([Promise.all(closed.slice(2)), Promise.all(closed.slice(0, 4))]);
  while (server.refused < 4) await new Promise((resolve) => setImmediate(resolve));
  expect(server.refused).toBe(4);
  server.close();
  await Promise.all(closed);
});

test("bad input: ports, data that is no bytes, an address nobody listens on", async () => {
  const { kernel, running } = machine();
  await expect(listen(kernel, { port: -1 })).rejects.toMatchObject({ code: "host.bad-option" });
  await expect(listen(kernel, { backlog: 0 })).rejects.toMatchObject({ code: "host.bad-option" });
  await expect(connect(kernel, { port: 0 })).rejects.toMatchObject({ code: "host.bad-option" });
  const server = await listen(kernel);
  await expect(listen(kernel, { port: server.port })).rejects.toMatchObject({ code: "host.socket-failed" });
  const client = await connect(kernel, { port: server.port });
  const task = kernel.spawn(
    function* (sys, socket: Handle) {
      yield* send(sys, socket, "text" as never);
    },
    { give: [client] },
  );
  expect(await running.exitOf(task)).toMatchObject({ error: { code: "host.not-bytes" } });
  server.close();
  await expect(connect(kernel, { port: server.port })).rejects.toMatchObject({ code: "host.socket-failed" });
});
