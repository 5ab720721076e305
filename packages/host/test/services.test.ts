import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RIGHTS } from "@glia-os/abi/syscalls";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { createKernel, type Kernel } from "@glia-os/kernel";
import { asyncProgram } from "@glia-os/kernel/face";
import { filesService, httpService } from "@glia-os/kernel/services";
import { expect, test } from "vitest";
import { createFileTree } from "../src/effects/file-tree.ts";
import { createHttpClient } from "../src/effects/http-client.ts";
import { type RunningKernel, runKernel } from "../src/run-kernel.ts";

function start(): { kernel: Kernel; running: RunningKernel } {
  const kernel = createKernel({ clock: createSystemClock(), random: createSystemRandom(), timers: "wheel" });
  return { kernel, running: runKernel(kernel, { timers: createSystemTimers() }) };
}

test("tasks of both faces fetch and keep files through handles, and a handle without a right does nothing", async () => {
  const root = await mkdtemp(join(tmpdir(), "glia-services-"));
  const server = createServer((_, answer) => answer.end("from the server")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    const { kernel, running } = start();
    const http = kernel.service(httpService(createHttpClient({ origins: ["*"], privateAddresses: true })));
    const files = kernel.service(filesService(createFileTree(root)));
    const writer = kernel.spawn(
      function* (sys, http, files) {
        const { body } = yield* sys.fetch(http!, { url });
        yield* sys.file(files!, { operation: "write", path: "answer", content: body });
      },
      { give: [{ handle: http, rights: RIGHTS.exec }, files] },
    );
    expect(await running.exitOf(writer)).toMatchObject({ kind: "ok" });
    const reader = kernel.spawn(
      asyncProgram(async (sys, files) => {
        const names = await sys.file(files!, { operation: "list", path: "." });
        const content = await sys.file(files!, { operation: "read", path: names[0]! });
        const refused = await sys
          .file(files!, { operation: "write", path: "answer", content: new Uint8Array() })
          .catch((error: { code: string }) => error.code);
        return [names, new TextDecoder().decode(content), refused];
      }),
      { give: [{ handle: files, rights: RIGHTS.read }] },
    );
    const value = [["answer"], "from the server", "kernel.missing-right"];
    expect(await running.exitOf(reader)).toEqual({ kind: "ok", value });
    expect(await readFile(join(root, "answer"), "utf8")).toBe("from the server");
    await running.stop(1000);
  } finally {
    server.close();
    await rm(root, { recursive: true, force: true });
  }
});

test("killing a task that fetches closes its connection", async () => {
  const begun = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const server = createServer((request) => {
    request.socket.on("close", () => closed.resolve());
    begun.resolve();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { kernel, running } = start();
  const http = kernel.service(httpService(createHttpClient({ origins: ["*"], privateAddresses: true })));
  const task = kernel.spawn(
    function* (sys, http) {
      yield* sys.fetch(http!, { url });
    },
    { give: [http] },
  );
  await begun.promise;
  kernel.kill(task, "enough");
  expect(await running.exitOf(task)).toMatchObject({ kind: "killed" });
  await closed.promise;
  await running.stop(1000);
  server.close();
});
