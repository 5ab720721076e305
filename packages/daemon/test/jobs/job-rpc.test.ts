/** What the network can bring to the listener of a node's jobs: other people's clients, rubbish, strangers, a new token. */

import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { errorCodeOf } from "@glia-os/abi/errors";
import { createSystemClock, createSystemTimers } from "@glia-os/hal";
import { createMemoryMeter } from "@glia-os/host";
import { createMemoryKeyValue } from "@glia-os/store/key-value-memory";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createGrpcServer } from "../../src/http-grpc.ts";
import { BATCH_MAX } from "../../src/http-json-rpc.ts";
import { HTTP_CONNECTIONS } from "../../src/http-server.ts";
import { STRANGERS_MAX } from "../../src/http-strangers.ts";
import { type HttpServer, HttpToken, serveHttp } from "../../src/index.ts";
import { DurableJobs } from "../../src/jobs/durable-jobs.ts";
import { JobIdSchema, JobSchema, SubmissionSchema } from "../../src/jobs/generated/jobs_pb.js";
import { connectGrpcJobs, connectJsonRpcJobs } from "../../src/jobs/index.ts";
import { createLedger } from "../../src/jobs/job-ledger.ts";

let scratch: string;
let tokenFile: string;
let server: HttpServer;
let token: string;
let traces: (string | undefined)[];
const url = (): string => `http://127.0.0.1:${server.address.port}`;

beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), "glia-job-rpc-"));
  tokenFile = join(scratch, "http-token");
  traces = [];
  const jobs = new DurableJobs({
    ledger: createLedger(createMemoryKeyValue()),
    clock: createSystemClock(),
    timers: createSystemTimers(),
    logger: { log: () => {}, child: () => ({}) as never },
    meter: createMemoryMeter(),
    tracer: undefined,
    run: async ({ payload, traceparent }) => {
      traces.push(traceparent);
      return 2 * (payload as number);
    },
    cancel: () => undefined,
  });
  const source = new HttpToken(tokenFile);
  token = source.text;
  const node = { status: async () => ({}) as never, metrics: async () => "" };
  server = await serveHttp({ node, jobs, bind: { host: "127.0.0.1", port: 0 }, token: source });
});
afterEach(async () => {
  await server.close();
  rmSync(scratch, { recursive: true, force: true });
});

async function rpc(body: string, headers: Record<string, string> = {}): Promise<[number, unknown]> {
  const all = { "content-type": "application/json", authorization: `Bearer ${token}`, ...headers };
  const response = await fetch(`${url()}/rpc`, { method: "POST", headers: all, body });
  const text = await response.text();
  return [response.status, text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : text];
}

const call = (method: string, params: unknown, id: unknown = 1): object => ({
  jsonrpc: "2.0",
  id,
  method,
  params,
});

describe("gRPC as others speak it", () => {
  interface Answer {
    readonly error: ServiceError | null;
    readonly bytes: Uint8Array | undefined;
  }
  /** The client of grpc-js, which shares no code with the server. */
  function grpc(method: string, bytes: Uint8Array, bearer = token): Promise<Answer> {
    const client = new Client(`127.0.0.1:${server.address.port}`, credentials.createInsecure());
    const metadata = new Metadata();
    metadata.set("authorization", `Bearer ${bearer}`);
    metadata.set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    const asIs = (value: Uint8Array): Buffer => Buffer.from(value);
    return new Promise((resolve) => {
      client.makeUnaryRequest(
        `/glia.jobs.v1.Jobs/${method}`,
        asIs,
        asIs,
        bytes,
        metadata,
        (error, answer) => {
          client.close();
          resolve({ error, bytes: answer });
        },
      );
    });
  }
  const submission = (entry: string): Uint8Array =>
    toBinary(SubmissionSchema, create(SubmissionSchema, { entry, payloadJson: "21", key: "k" }));

  test("grpc-js submits and reads a job, and its header traceparent goes with the job", async () => {
    const { error, bytes } = await grpc("Submit", submission("double"));
    expect(error).toBeNull();
    const { id } = fromBinary(JobSchema, bytes as Uint8Array);
    const status = await grpc("Status", toBinary(JobIdSchema, create(JobIdSchema, { id })));
    expect(fromBinary(JobSchema, status.bytes as Uint8Array)).toMatchObject({ id, resultJson: "42" });
    expect(traces).toEqual(["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]);
  });

  test("HG2: refusals have the status of their cause and carry its record", async () => {
    const { error } = await grpc("Submit", submission("not an entry"));
    expect(error?.code).toBe(3);
    const [record] = error?.metadata.get("glia-error-bin") ?? [];
    expect(JSON.parse(String(record))).toMatchObject({ code: "daemon.job-malformed", retryable: false });
    const unknown = toBinary(JobIdSchema, create(JobIdSchema, { id: "0".repeat(32) }));
    expect((await grpc("Status", unknown)).error?.code).toBe(5);
    expect((await grpc("Nonsense", unknown)).error?.code).toBe(12);
    expect((await grpc("Submit", Buffer.from("rubbish"))).error?.code).not.toBe(0);
  });

  test("HG1: a wrong token and another host are refused before anything is read", async () => {
    expect((await grpc("Submit", submission("double"), "x".repeat(43))).error?.code).toBe(16);
    const session = connectHttp2(url());
    const status = await new Promise((resolve) => {
      const headers = {
        ":method": "POST",
        ":path": "/glia.jobs.v1.Jobs/Submit",
        ":authority": "evil.example",
      };
      session
        .request({ ...headers, authorization: `Bearer ${token}` })
        .on("response", (got) => resolve(got[":status"]));
    });
    session.destroy();
    expect([status, traces]).toEqual([421, []]);
  });

  test("HG1: while the token's file cannot be used, streams are refused as UNAVAILABLE and the node goes on", async () => {
    const good = readFileSync(tokenFile);
    for (const spoil of [() => chmodSync(tokenFile, 0o644), () => writeFileSync(tokenFile, "rubbish\n")]) {
      spoil();
      expect((await grpc("Submit", submission("double"))).error?.code).toBe(14);
      chmodSync(tokenFile, 0o600);
    }
    writeFileSync(tokenFile, good);
    expect((await grpc("Submit", submission("double"))).error).toBeNull();
  });

  test("the generated code is that of the protocol's file", () => {
    const root = new URL("../../", import.meta.url);
    const digest = createHash("sha256")
      .update(readFileSync(new URL("proto/jobs.proto", root)))
      .digest("hex");
    for (const file of ["jobs_pb.js", "jobs_pb.d.ts"])
      expect(readFileSync(new URL(`src/jobs/generated/${file}`, root), "utf8")).toContain(digest);
  });
});

describe("JSON-RPC", () => {
  test("JR1, JR3: every fault is answered in the protocol, with its code and what to do", async () => {
    const codeOf = async (body: string): Promise<unknown> =>
      ((await rpc(body))[1] as { error: { code: number } }).error.code;
    expect(await codeOf("{")).toBe(-32700);
    for (const body of ["1", "null", "[]", "{}", '{"jsonrpc":"1.0","id":1,"method":"jobs.list"}'])
      expect([body, await codeOf(body)]).toEqual([body, -32600]);
    expect(await codeOf(JSON.stringify(call("toString", {})))).toBe(-32601);
    expect(await codeOf(JSON.stringify(call("jobs.submit", [1])))).toBe(-32602);
    expect(await codeOf(JSON.stringify(call("jobs.status", { id: "0".repeat(32) })))).toBe(-32001);
    const [, { error }] = (await rpc(JSON.stringify(call("jobs.submit", { entry: 7 })))) as [
      number,
      { error: object },
    ];
    expect(error).toMatchObject({
      code: -32602,
      data: { code: "daemon.job-malformed", fix: expect.any(String) },
    });
  });

  test("JR2: a batch is answered in order without its notifications, and one that is too long is refused whole", async () => {
    const batch = [
      call("jobs.submit", { entry: "double", payload: 1 }, "a"),
      { jsonrpc: "2.0", method: "jobs.submit", params: { entry: "double", payload: 2 } },
      call("jobs.list", {}, null),
    ];
    const [status, answers] = (await rpc(JSON.stringify(batch))) as [
      number,
      { id: unknown; result: object[] }[],
    ];
    expect([status, answers.map(({ id }) => id), answers[1]?.result.length]).toEqual([200, ["a", null], 2]);
    const many = Array.from({ length: BATCH_MAX + 1 }, () => batch[0]);
    expect(await rpc(JSON.stringify(many))).toMatchObject([200, { error: { code: -32600 } }]);
    expect(await rpc(JSON.stringify(batch[1]))).toEqual([204, ""]);
  });

  test("what is no JSON, too long, of a page, or without the token is refused by HTTP", async () => {
    const body = JSON.stringify(call("jobs.list", {}));
    const status = async (text: string, headers: Record<string, string>): Promise<number> =>
      (await rpc(text, headers))[0];
    expect(await status(body, { "content-type": "text/plain" })).toBe(415);
    expect(await status("x".repeat(5 * 1024 * 1024), {}).catch(() => 413)).toBe(413);
    expect(await status(body, { origin: "http://127.0.0.1" })).toBe(403);
    expect(await status(body, { authorization: "Bearer nonsense" })).toBe(401);
    expect((await fetch(`${url()}/rpc`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(405);
  });
});

describe("the listener", () => {
  /** A session of HTTP/2 that has got the settings of the server; `gone` is when it ended. */
  async function session(to: string): Promise<{ readonly own: ClientHttp2Session; gone: Promise<void> }> {
    const own = connectHttp2(to);
    own.on("error", () => {});
    const gone = new Promise<void>((resolve) => own.once("close", () => resolve()));
    await Promise.race([new Promise((resolve) => own.once("remoteSettings", resolve)), gone]);
    return { own, gone };
  }

  test("SG2: strangers on HTTP/2 do not keep others from health and jobs; who bore the token stays", async () => {
    const friend = await session(url());
    const authorization = `Bearer ${token}`;
    const stream = friend.own.request({ ":method": "POST", ":path": "/nothing", authorization }).resume();
    await new Promise((resolve) => stream.once("response", resolve));
    const strangers = [];
    for (let at = 0; at < HTTP_CONNECTIONS + STRANGERS_MAX; at++) strangers.push(await session(url()));
    expect((await fetch(`${url()}/healthz`)).status).toBe(200);
    await Promise.all(strangers.slice(0, -STRANGERS_MAX).map(({ gone }) => gone));
    expect(friend.own.closed).toBe(false);
    for (const { own } of [friend, ...strangers]) own.destroy();
  });

  test("SG1: a session that never bears the token is ended, whatever it sends", async () => {
    const refused = { status: 401, body: "no\n" };
    const grpc = createGrpcServer({} as never, () => refused, { bytesMax: 1, strangerMs: 50 });
    await new Promise<void>((resolve) => grpc.listen(0, "127.0.0.1", resolve));
    const { port } = grpc.address() as { readonly port: number };
    const { own, gone } = await session(`http://127.0.0.1:${port}`);
    own
      .request({ ":method": "POST", ":path": "/" }, { endStream: false })
      .on("error", () => {})
      .resume();
    await gone;
    await new Promise((resolve) => grpc.close(resolve));
  });

  test("HT3: a new token file is the token from the next request on, for every face; the old one opens nothing", async () => {
    const fresh = "n".repeat(43);
    writeFileSync(`${tokenFile}.new`, `${fresh}\n`, { mode: 0o600 });
    renameSync(`${tokenFile}.new`, tokenFile);
    for (const connectJobs of [connectJsonRpcJobs, connectGrpcJobs]) {
      expect(await connectJobs({ url: url(), token }).list().catch(errorCodeOf)).toBe("daemon.job-face");
      expect(await connectJobs({ url: url(), token: fresh }).list()).toEqual([]);
    }
    writeFileSync(tokenFile, `${fresh}\n`, { mode: 0o644 });
    rmSync(tokenFile);
    writeFileSync(tokenFile, `${fresh}\n`, { mode: 0o644 });
    expect((await rpc("{}"))[0]).toBe(503);
  });

  test("HS5: first bytes that are neither protocol, a preface that is cut short, and silence end no one else's connection", async () => {
    const ends = ["\x16\x03\x01\x02\x00", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\nrubbish", "P", ""].map(
      (text) =>
        new Promise<void>((resolve) => {
          const socket = connect(server.address.port, "127.0.0.1", () => socket.write(text));
          socket.on("error", () => {}).on("close", () => resolve());
          socket.resume();
          if (text.length < 2) socket.end();
        }),
    );
    await Promise.all(ends);
    expect(await connectGrpcJobs({ url: url(), token }).list()).toEqual([]);
  });
});
