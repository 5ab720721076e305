/**
 * Restate: its server as it comes, one node with its log on the disk of this machine, and a service in this process. It answers when the log
 * is flushed (`rocksdb-disable-wal-fsync = false`).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Http2Server } from "node:http2";
import { createRequire } from "node:module";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { arch, platform, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Contestant, ContestantFactory } from "../../src/suite.ts";
import { crowd, STEPS } from "./crowd.ts";

const require = createRequire(import.meta.url);
const HOST = "127.0.0.1";
const START_TRIES = 240;
const TRY_MS = 250;

interface Context {
  run(name: string, step: () => number): Promise<number>;
}

interface Sdk {
  service(definition: unknown): unknown;
  createEndpointHandler(options: { readonly services: readonly unknown[] }): (...http2: unknown[]) => void;
}

/** The program of the server for this machine, and the SDK; undefined when they are not installed. */
async function installed(): Promise<{ readonly binary: string; readonly sdk: Sdk } | undefined> {
  try {
    const folder = dirname(
      require.resolve(`@restatedev/restate-server-${platform()}-${arch()}/package.json`),
    );
    const name = "@restatedev/restate-sdk";
    // It would print two lines per execution.
    process.env["RESTATE_LOGGING"] ??= "ERROR";
    return { binary: join(folder, "bin/restate-server"), sdk: (await import(name)) as Sdk };
  } catch {
    return undefined;
  }
}

/** A service with one handler of some steps, on a port of its own. */
async function serve({ service, createEndpointHandler }: Sdk): Promise<Http2Server> {
  const steps = service({
    name: "bench",
    handlers: {
      steps: async (context: Context) => {
        let sum = 0;
        for (let i = 0; i < STEPS; i++) sum += await context.run("step", () => i);
        return sum;
      },
    },
  });
  const server = createServer(createEndpointHandler({ services: [steps] }));
  server.listen(0, HOST);
  await once(server, "listening");
  return server;
}

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, HOST);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Ask until it is answered well: the server takes some seconds to start. */
async function ask(url: string, body: unknown): Promise<void> {
  for (let left = START_TRIES; ; left--) {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok === true) return;
    if (left === 0) throw new RangeError(`${url} answered ${answer?.status ?? "nothing"}`);
    await new Promise((resolve) => setTimeout(resolve, TRY_MS));
  }
}

async function start(): Promise<Contestant | undefined> {
  const found = await installed();
  if (found === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "glia-bench-"));
  const [ingress, admin, node] = [await freePort(), await freePort(), await freePort()];
  const server: ChildProcess = spawn(
    found.binary,
    ["--base-dir", folder, "--listen-mode", "tcp", "--bind-ip", HOST, "--bind-port", String(node)],
    {
      stdio: "ignore",
      env: {
        ...process.env,
        RESTATE_DISABLE_TELEMETRY: "true",
        RESTATE_INGRESS__BIND_PORT: String(ingress),
        RESTATE_ADMIN__BIND_PORT: String(admin),
      },
    },
  );
  const service = await serve(found.sdk);
  const { port } = service.address() as AddressInfo;
  await ask(`http://${HOST}:${admin}/deployments`, { uri: `http://${HOST}:${port}` });
  return crowd(
    () => ask(`http://${HOST}:${ingress}/bench/steps`, undefined),
    async () => {
      server.kill("SIGKILL");
      await once(server, "exit");
      service.close();
      rmSync(folder, { recursive: true, force: true });
    },
  );
}

/** By name, for a process of their own. */
export const contestants: Readonly<Record<string, ContestantFactory>> = { steps: start };
