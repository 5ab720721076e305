/** Agents that were given services of their node: what they may call, and what becomes of it when they move. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HttpRequest } from "@glia-os/abi/ports";
import { RIGHTS } from "@glia-os/abi/syscalls";
import type { CellService } from "@glia-os/cells";
import { compileAssemblyScript } from "@glia-os/guest-as/build";
import type { Settle } from "@glia-os/kernel";
import { instrument } from "@glia-os/wasm/pipeline";
import { expect, test } from "vitest";
import { AGENT, EPOCH, HostUnderTest, manifestOf, message, move } from "./host-under-test.ts";

/** Fetches what it is sent, by the capability of that name, and counts its messages. */
const SOURCE = `import { Capability, failure, receiveText, replyText } from "@glia-os/guest-as/assembly";
function fetched(url: string): string {
  const web = Capability.named("web");
  if (web === null) return failure().toString();
  const page = web.fetch(url);
  return page === null ? failure().toString() : page.text();
}
export function glia_main(): i32 {
  let seen = 0;
  while (true) {
    seen++;
    replyText(seen.toString() + " " + fetched(receiveText()));
  }
}`;

async function compiled(): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "glia-cells-"));
  try {
    writeFileSync(join(folder, "agent.ts"), SOURCE);
    return (await instrument(await compileAssemblyScript(join(folder, "agent.ts")))).bytes;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const program = compiled();
const GRANTS = ["glia.v1", "glia.sys.v1", "service/web"];

/** A host whose service `web` keeps its calls until the test answers them. */
function host(name: string, more: Partial<CellService> = {}) {
  const open: { readonly url: string; readonly settle: Settle<unknown> }[] = [];
  const it = new HostUnderTest(undefined, undefined, (kernel) => {
    const handle = kernel.service<HttpRequest>({
      kind: "http",
      name: "web",
      perform: ({ url }, settle) => void open.push({ url, settle }) as undefined,
    });
    return [{ name: "web", handle, rights: RIGHTS.exec, ...more }];
  });
  const answer = async (): Promise<string> => {
    const call = open.shift();
    call?.settle.ok({ status: 200, headers: {}, body: Buffer.from(`${name} ${call.url}`) });
    await it.run();
    return new TextDecoder().decode(it.replies.at(-1)?.payload);
  };
  const send = async (seq: number, text: string): Promise<void> => {
    expect(it.gate.deliver(message(seq, Buffer.from(text), { ask: true })).kind).toBe("accepted");
    await it.run();
  };
  return { it, open, answer, send };
}

async function started(name: string, more: Partial<CellService> = {}) {
  const made = host(name, more);
  const manifest = manifestOf("echo", { name: "fetcher", program: await program, grants: GRANTS });
  await made.it.settle(made.it.gate.start(AGENT, EPOCH(1), manifest));
  return made;
}

test("an agent calls a service its manifest asks for, and after a move that of its new node", async () => {
  const [here, there] = [await started("here"), host("there")];
  await here.send(1, "x:");
  expect(await here.answer()).toBe("1 here x:");
  await move(here.it, there.it, EPOCH(2));
  await there.send(2, "y:");
  expect(await there.answer()).toBe("2 there y:");
  expect(here.open).toEqual([]);
});

test("a call that is out is finished where it was made, and its outcome moves with the agent", async () => {
  const [here, there] = [await started("here"), host("there")];
  await here.send(1, "x:");
  expect(here.open).toHaveLength(1);
  const moving = move(here.it, there.it, EPOCH(2));
  await here.it.run();
  expect(await here.answer()).toBe("1 here x:");
  await moving;
  expect(there.open).toEqual([]);
  await there.send(2, "y:");
  expect(await there.answer()).toBe("2 there y:");
});

test("a call that outlasts the time of a freeze keeps the agent where it is, and is answered there", async () => {
  const here = await started("here");
  await here.send(1, "x:");
  const freezing = here.it.gate.freeze(AGENT).catch((error: { code: string }) => error.code);
  await here.it.run();
  await here.it.pass(60_000);
  expect(await freezing).toBe("cells.no-yield");
  expect(await here.answer()).toBe("1 here x:");
});

test("an agent is refused where its service is missing, when it is started and when it would move", async () => {
  const here = await started("here");
  const bare = new HostUnderTest();
  const manifest = manifestOf("echo", { program: await program, grants: GRANTS });
  await expect(bare.settle(bare.gate.start(AGENT, EPOCH(1), manifest))).rejects.toMatchObject({
    code: "cells.service-missing",
    message: expect.stringContaining("web"),
  });
  await expect(move(here.it, bare, EPOCH(2))).rejects.toMatchObject({ code: "cells.service-missing" });
  await here.send(1, "x:");
  expect(await here.answer()).toBe("1 here x:");
});

test("an agent that holds something immovable is not stopped for a move, and the refusal names it", async () => {
  const [here, there] = [await started("here", { kind: "immovable" }), host("there")];
  await expect(move(here.it, there.it, EPOCH(2))).rejects.toMatchObject({
    code: "cells.immovable-capability",
    message: expect.stringContaining("web"),
  });
  await here.send(1, "x:");
  expect(await here.answer()).toBe("1 here x:");
});

test("an agent that was not given the service gets an error, and nobody is asked", async () => {
  const made = host("here");
  const grants = ["glia.v1", "glia.sys.v1"];
  const manifest = manifestOf("echo", { name: "bare", program: await program, grants });
  await made.it.settle(made.it.gate.start(AGENT, EPOCH(1), manifest));
  await made.send(1, "x:");
  expect(await made.answer()).toBe("1 -6");
  expect(made.open).toEqual([]);
});
