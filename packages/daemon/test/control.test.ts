import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCodeOf, GliaError } from "@glia-os/abi/errors";
import type { MigrateRequest, NodeApi, NodeStatus } from "@glia-os/daemon";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ControlConnection, connectControl } from "../src/control-client.ts";
import { decodeReply, decodeRequest, encodeLine, LINE_LIMIT_BYTES } from "../src/control-line.ts";
import { controlPath } from "../src/control-path.ts";
import {
  CALLS_PER_CONNECTION,
  CONNECTION_LIMIT,
  type ControlServer,
  serveControl,
} from "../src/control-server.ts";
import { AnchorLostError, UnknownAgentError } from "../src/errors.ts";

/** A node that records what it was asked: the control socket must not care what is behind it. */
function recordingNode(): {
  node: NodeApi;
  asked: unknown[][];
  fail: (error: Error) => void;
  holdSends: () => () => void;
} {
  const asked: unknown[][] = [];
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<Error>((resolve) => {
    fail = resolve;
  });
  let gate: Promise<void> | undefined;
  const holdSends = (): (() => void) => {
    const held = Promise.withResolvers<void>();
    gate = held.promise;
    return held.resolve;
  };
  const record =
    (name: string, answer: (...args: unknown[]) => unknown) =>
    (...args: unknown[]) => {
      asked.push([name, ...args.filter((arg) => typeof arg !== "function")]);
      return Promise.resolve().then(() => answer(...args));
    };
  const node = {
    failed,
    status: record("status", () => ({ name: "core", pid: 7 }) as NodeStatus),
    send: record("send", () => gate),
    ask: record("ask", (_agent, payload) => payload),
    terminate: record("terminate", (agent) => {
      throw new UnknownAgentError(String(agent));
    }),
    migrate: record("migrate", (_agent, _to, options) => {
      const { onPhase, strategy = "auto" } = options as MigrateRequest;
      onPhase?.({ phase: "frozen", ms: 1, bytes: 2 });
      return { downtimeMs: 3, strategy };
    }),
  };
  return { node: node as unknown as NodeApi, asked, fail, holdSends };
}

let dataDir: string;
let recorded: ReturnType<typeof recordingNode>;
let server: ControlServer;
const connections: ControlConnection[] = [];

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "glia-control-"));
  recorded = recordingNode();
  server = await serveControl(recorded.node, dataDir);
});
afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close();
  await server.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function client(): Promise<ControlConnection> {
  const connection = await connectControl(dataDir);
  connections.push(connection);
  return connection;
}

function rawAnswer(line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(controlPath(dataDir), () => socket.write(line));
    socket.on("data", (chunk) => {
      text += chunk.toString();
    });
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
  });
}

test("a call over the socket is the call on the node, and bytes arrive as they were", async () => {
  const node = await client();
  const payload = new Uint8Array([0, 255, 10, 13]);
  await expect(node.ask("words", payload, 50)).resolves.toEqual(payload);
  expect(recorded.asked).toEqual([["ask", "words", payload, 50]]);
});

test("bytes that are a Buffer arrive as bytes", async () => {
  const node = await client();
  await expect(node.ask("words", Buffer.from([1, 2, 3]), 50)).resolves.toEqual(new Uint8Array([1, 2, 3]));
});

test("a refusal of the node keeps its code and its advice", async () => {
  const error = await (await client()).terminate("ghost").catch((caught: unknown) => caught);
  expect(errorCodeOf(error)).toBe("daemon.unknown-agent");
  expect((error as GliaError).fix).toContain("glia agent list");
});

test("the phases of a migration arrive while the call is running", async () => {
  const phases: unknown[] = [];
  const report = await (await client()).migrate("words", "relay", {
    onPhase: (phase) => phases.push(phase),
  });
  expect(phases).toEqual([{ phase: "frozen", ms: 1, bytes: 2 }]);
  expect(report).toEqual({ downtimeMs: 3, strategy: "auto" });
});

test("how an agent is to move crosses the socket, and a strategy that there is not is refused", async () => {
  const node = await client();
  expect(await node.migrate("words", "relay", { strategy: "pre-copy" })).toMatchObject({
    strategy: "pre-copy",
  });
  const wrong = node.migrate("words", "relay", { strategy: "teleport" as "auto" });
  expect(errorCodeOf(await wrong.catch((error: unknown) => error))).toBe("abi.malformed");
});

test("when the node fails, everybody who is connected learns why", async () => {
  const node = await client();
  await node.status();
  recorded.fail(new AnchorLostError("core", "killed"));
  expect(errorCodeOf(await node.failed)).toBe("daemon.anchor-lost");
});

test("a call that waits when the node goes away fails instead of hanging", async () => {
  const node = await client();
  await node.status();
  await server.close();
  expect(errorCodeOf(await node.status().catch((error: unknown) => error))).toBe("daemon.control-closed");
});

test("without a node there is one clear refusal that names the folder", async () => {
  const empty = join(dataDir, "nobody");
  const error = await connectControl(empty).catch((caught: unknown) => caught);
  expect(errorCodeOf(error)).toBe("daemon.not-running");
  expect((error as Error).message).toContain(empty);
});

test.skipIf(process.platform === "win32")(
  "CS1: only the owner can reach the socket, and closing removes it (needs POSIX file modes)",
  async () => {
    expect(statSync(server.path).mode & 0o777).toBe(0o600);
    await server.close();
    expect(existsSync(server.path)).toBe(false);
  },
);

test.skipIf(process.platform === "win32")(
  "a data folder with a long path still gets a socket that can be reached (needs POSIX socket paths)",
  () => {
    const path = controlPath(`/${"deep/".repeat(40)}`);
    expect(Buffer.byteLength(path)).toBeLessThan(103);
    expect(controlPath(`/${"deep/".repeat(40)}`)).toBe(path);
  },
);

describe("CS2, CL2: bad lines", () => {
  test.each([
    ["not JSON", "{nope}\n"],
    ["a list", "[]\n"],
    ["no id", '{"method":"status","args":[]}\n'],
    ["a negative id", '{"id":-1,"method":"status","args":[]}\n'],
    ["no method", '{"id":1,"args":[]}\n'],
    ["args that are no list", '{"id":1,"method":"status","args":{}}\n'],
    ["bytes that are no text", '{"id":1,"method":"ask","args":["a",{"$bytes":5},1]}\n'],
  ])("%s is refused by name and ends only its own connection", async (_name, line) => {
    const node = await client();
    expect(await rawAnswer(line)).toContain("daemon.control-malformed");
    await expect(node.status()).resolves.toMatchObject({ pid: 7 });
  });

  test.each(["failed", "constructor", "__proto__", "toString", "nothing"])(
    "%s cannot be called",
    async (method) => {
      const node = await client();
      const socket = connect(controlPath(dataDir), () =>
        socket.write(encodeLine({ id: 5, method, args: [] })),
      );
      const answer = await new Promise<string>((resolve) =>
        socket.once("data", (chunk) => resolve(chunk.toString())),
      );
      socket.destroy();
      expect(answer).toContain("daemon.control-malformed");
      await expect(node.status()).resolves.toMatchObject({ pid: 7 });
    },
  );

  test("CL1: a line over the limit ends the connection without being parsed", async () => {
    const answer = await rawAnswer("x".repeat(LINE_LIMIT_BYTES + 2));
    expect(answer).toContain("longer than");
  });
});

test("CS3: one call over the limit of a connection is refused, and the others are still answered", async () => {
  const node = await client();
  const release = recorded.holdSends();
  const calls = Array.from({ length: CALLS_PER_CONNECTION }, () => node.send("words", new Uint8Array(1)));
  expect(errorCodeOf(await node.send("words", new Uint8Array(1)).catch((error: unknown) => error))).toBe(
    "daemon.thread-busy",
  );
  release();
  await Promise.all(calls);
});

test("CS3: connections are bounded, and a closed one makes room", async () => {
  const held = await Promise.all(Array.from({ length: CONNECTION_LIMIT }, () => client()));
  await Promise.all(held.map((node) => node.status()));
  const refused = await connectControl(dataDir).then(
    (node) => node.status().catch((error: unknown) => error),
    (error: unknown) => error,
  );
  expect(["daemon.control-closed", "daemon.not-running"]).toContain(errorCodeOf(refused));
  await Promise.all(held.map((node) => node.close()));
  await expect((await client()).status()).resolves.toMatchObject({ pid: 7 });
});

test("any line is either decoded or refused with a typed error", () => {
  const isTyped = (decode: (line: string) => unknown, line: string): boolean => {
    try {
      decode(line);
      return true;
    } catch (error) {
      return error instanceof GliaError;
    }
  };
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.json()),
      (line) => isTyped(decodeRequest, line) && isTyped(decodeReply, line),
    ),
  );
});
