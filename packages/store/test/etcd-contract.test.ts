import { describe, it } from "vitest";
import { coordinationContract } from "../src/testing.ts";
import { etcdHarness, missing, serverForThisFile } from "./fixtures/etcd-harness.ts";
import { expectModelled } from "./fixtures/programs.ts";

const server = serverForThisFile();

describe("the coordination contract on etcd", () => {
  it.for(coordinationContract.map(({ title, run }) => [title, run] as const))(
    "%s",
    async ([_title, run], { skip }) => {
      skip(missing !== undefined, missing);
      const harness = etcdHarness(server());
      try {
        await run(harness);
      } finally {
        await harness.dispose();
      }
    },
  );
});

it("etcd answers every program of requests as the reference model does", async ({ skip }) => {
  skip(missing !== undefined, missing);
  await expectModelled(() => etcdHarness(server()), process.env["GLIA_SOAK"] === "1" ? 1_000 : 25);
});
