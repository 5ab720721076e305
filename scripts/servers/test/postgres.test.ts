import { expect, it } from "vitest";
import { postgresMissing, startPostgres } from "../postgres.ts";

const missing = postgresMissing();

it("P1, P3: a server starts on loopback, survives kill -9 by a restart, and leaves nothing", async ({
  skip,
}) => {
  skip(missing !== undefined, missing);
  const server = await startPostgres();
  expect(server.url).toMatch(/^postgresql:\/\/glia@127\.0\.0\.1:\d+\/postgres$/);
  await server.kill();
  await server.restart();
  server.signal("SIGSTOP");
  await server.stop();
  await server.stop();
});
