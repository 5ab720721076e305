import { createAsyncEngine, createProcessEngine, createThreadedEngine } from "@glia-os/host";
import { contractJobs, contractJobsModule, jobEngineContract } from "@glia-os/host/testing";
import { describe, test } from "vitest";

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
