/** Definitions of `@glia-os/cells/agent` as guests: what is built, what is refused, and what it costs. On nodes: packages/daemon/test/agents. */
import { errorCodeOf } from "@glia-os/abi/errors";
import { buildAgent } from "@glia-os/guest-js/build";
import { expect, test } from "vitest";

const DEFINITION = `
  import { agent } from "@glia-os/cells/agent";
  export default agent({
    name: "counter",
    state: () => ({ count: 0 }),
    on: { add: { handle: (ctx, n: number) => (ctx.state.count += n) } },
  });`;

async function refused(
  source: string,
): Promise<{ readonly code: string | undefined; readonly said: string }> {
  try {
    await buildAgent({ source });
    return { code: undefined, said: "" };
  } catch (error) {
    return { code: errorCodeOf(error), said: (error as Error).message };
  }
}

test("a file whose default export is a definition builds, starts ahead, and asks for what it speaks by", async () => {
  const { grants, startedAt, log, bytes } = await buildAgent({ source: DEFINITION });
  expect([grants, startedAt, log]).toEqual([["glia.v1", "glia.sys.v1", "service/agents"], "build", []]);
  expect(bytes.length).toBeLessThan(3 * 1024 * 1024);
});

test("DF1: an agent without a definition has no part of it, and asks for nothing more", async () => {
  const plain = await buildAgent({
    source: `import { inbox } from "@glia-os/guest-js"; for await (const message of inbox) message.reply(message.text());`,
  });
  const defined = await buildAgent({ source: DEFINITION });
  expect(plain.grants).toEqual(["glia.v1"]);
  expect(plain.map).not.toContain("agent-process");
  expect(defined.bytes.length - plain.bytes.length).toBeLessThan(1024 * 1024);
});

test("what cannot run in a guest is refused when it is built, by name: Node's modules, a bad definition, one that is not exported", async () => {
  const files = await refused(
    `import { readFileSync } from "node:fs"; ${DEFINITION} console.log(readFileSync);`,
  );
  expect(files.code).toBe("guest.bundle-failed");
  expect(files.said).toContain("node:fs");
  const bad = await refused(DEFINITION.replace('"counter"', '"No Name"'));
  expect(bad.code).toBe("guest.agent-failed");
  expect(bad.said).toContain("The field name of a definition is refused");
  const hidden = await refused(DEFINITION.replace("export default agent", "export const counter = agent"));
  expect(hidden.code).toBe("guest.agent-failed");
  expect(hidden.said).toContain("exports none of them as its default");
  const missing = await refused(DEFINITION.replace("cells/agent", "cells/nothing"));
  expect(missing.code).toBe("guest.bundle-failed");
});

test("a schema library that the definition imports is bundled with it", async () => {
  const { log, bytes, map } = await buildAgent({
    source: `import { z } from "zod"; ${DEFINITION.replace("handle:", "input: z.number(), handle:")}`,
    folder: import.meta.dirname,
  });
  expect(log).toEqual([]);
  expect(map).toContain("zod");
  expect(bytes.length).toBeLessThan(8 * 1024 * 1024);
});

test("the same definition gives the same module", async () => {
  const [one, two] = await Promise.all([
    buildAgent({ source: DEFINITION }),
    buildAgent({ source: DEFINITION }),
  ]);
  expect(one.hash).toBe(two.hash);
});
