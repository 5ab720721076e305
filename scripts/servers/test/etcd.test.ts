import { expect, it } from "vitest";
import { etcdMissing, startEtcd } from "../etcd.ts";

const missing = etcdMissing();

it("E1, E2: a server starts on loopback, keeps its data over kill -9, and leaves nothing", async ({
  skip,
}) => {
  skip(missing !== undefined, missing);
  const server = await startEtcd();
  const ask = async (call: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${server.url}/v3/kv/${call}`, { method: "POST", body: JSON.stringify(body) });
    return (await answer.json()) as Record<string, unknown>;
  };
  await ask("put", { key: "YQ==", value: "Yg==" });
  await server.kill();
  await server.restart();
  expect(await ask("range", { key: "YQ==" })).toMatchObject({ count: "1" });
  server.signal("SIGSTOP");
  await server.stop();
  await server.stop();
});
