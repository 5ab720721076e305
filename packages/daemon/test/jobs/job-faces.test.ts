/** The jobs of one real node, through every face there is. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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

test("jobs are in the metrics, which promtool reads, and in the health", async () => {
  const jobs = jobProtocolOver(node);
  await jobs.wait((await jobs.submit({ entry: "double", payload: 1 })).id, 30_000);
  const headers = { authorization: `Bearer ${new HttpToken(join(dataDir, "http-token")).text}` };
  const read = async (path: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${http.address.port}${path}`, { headers })).text();
  const text = await read("/metrics");
  expect(text).toMatch(/^glia_jobs_ended_total\{state="succeeded"\} [1-9]/m);
  for (const name of ["glia_jobs_accepted_total", "glia_jobs_pending"])
    expect(text).toMatch(new RegExp(`^${name} `, "m"));
  const { components } = JSON.parse(await read("/__health")) as { readonly components: object };
  expect(components).toEqual({
    mesh: { state: "ok" },
    anchor: { state: "ok" },
    wire: { state: "ok" },
    agents: { state: "ok" },
    jobs: { state: "ok" },
  });
  const checked = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
  if (checked.error !== undefined) process.stderr.write("promtool is missing: the text was not read by it\n");
  else expect(`${checked.stdout}${checked.stderr}`).not.toMatch(/glia_jobs|error/);
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
