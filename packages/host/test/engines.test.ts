import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createAsyncEngine, createProcessEngine, createThreadedEngine } from "@glia-os/host";
import { contractJobs, contractJobsModule, jobEngineContract } from "@glia-os/host/testing";
import { describe, expect, test } from "vitest";

describe("async engine", () => {
  const contract = jobEngineContract((options) =>
    createAsyncEngine({ functions: { ...contractJobs }, ...options }),
  );
  for (const { title, run } of contract) test(title, run);
});

describe("threaded engine", () => {
  const contract = jobEngineContract((options) =>
    createThreadedEngine({ module: contractJobsModule, workers: 2, ...options }),
  );
  for (const { title, run } of contract) test(title, run);
});

describe("process engine", () => {
  const contract = jobEngineContract((options) =>
    createProcessEngine({ module: contractJobsModule, workers: 2, ...options }),
  );
  for (const { title, run } of contract) test(title, run);
});

test("every engine holds its contract in a process that nothing else keeps alive, and lets it end", async () => {
  const file = fileURLToPath(new URL("./fixtures/contract.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=@glia-os/source", file], {
    timeout: 50_000,
  });
  expect(stdout).toBe("async 21/21\nthreaded 21/21\nprocess 21/21\n");
});
