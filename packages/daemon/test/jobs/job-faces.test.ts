/** The jobs of one real node, through every face there is. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import {
  type ControlConnection,
  type ControlServer,
  connectControl,
  createNode,
  type HttpServer,
  HttpToken,
  type LocalNode,
  serveControl,
  serveHttp,
} from "../../src/index.ts";
import { connectGrpcJobs } from "../../src/jobs/grpc-client.ts";
import { type JobProtocol, jobProtocolOver } from "../../src/jobs/job-protocol.ts";
import { connectJsonRpcJobs } from "../../src/jobs/json-rpc-client.ts";
import { CONTRACT_PROGRAM, jobProtocolContract } from "../../src/testing/job-protocol-contract.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-job-faces-"));
const module = join(scratch, "jobs.mjs");
const dataDir = join(scratch, "data");
const faces = new Map<string, JobProtocol>();
let node: LocalNode;
let http: HttpServer;
let control: ControlServer;
let connection: ControlConnection;
let gates = 0;

beforeAll(async () => {
  writeFileSync(module, CONTRACT_PROGRAM);
  node = await createNode({
    dataDir,
    role: "core",
    bind: { host: "127.0.0.1", port: 0 },
    start: { kind: "new-cluster" },
    jobs: { module, workers: 4 },
    mesh: { transport: "tls-only" },
  });
  const token = new HttpToken(join(dataDir, "http-token"));
  http = await serveHttp({ node, jobs: node, bind: { host: "127.0.0.1", port: 0 }, token });
  control = await serveControl(node, dataDir);
  connection = await connectControl(dataDir);
  const address = {
    url: `http://127.0.0.1:${http.address.port}`,
    token: readFileSync(join(dataDir, "http-token"), "utf8").trim(),
  };
  faces.set("a node in this process", jobProtocolOver(node));
  faces.set("the control socket", jobProtocolOver(connection));
  faces.set("JSON-RPC", connectJsonRpcJobs(address));
  faces.set("gRPC", connectGrpcJobs(address));
}, 60_000);

afterAll(async () => {
  await connection?.close();
  await Promise.all([control?.close(), http?.close(), node?.stop()]);
  rmSync(scratch, { recursive: true, force: true });
});

describe.each(["a node in this process", "the control socket", "JSON-RPC", "gRPC"])(
  "jobs over %s",
  (face) => {
    test.each(jobProtocolContract)("$claim", async ({ run }) => {
      await run({
        jobs: faces.get(face) as JobProtocol,
        open: (gate) => writeFileSync(gate, ""),
        gate: () => join(scratch, `gate-${++gates}`),
      });
    });
  },
);
