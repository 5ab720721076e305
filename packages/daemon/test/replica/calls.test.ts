/** Calls on a capability of an agent with a replica, whose node is gone while one is under way. */
import type { HttpRequest, HttpResponse } from "@glia-os/abi/ports";
import { buildAgent } from "@glia-os/guest-js/build";
import { beforeAll, describe, expect, it } from "vitest";
import { OutputsNode, World } from "./outputs-world.ts";

/** Makes the request that it is asked for, with a number that was drawn for it. */
const SOURCE = `import { inbox } from "@glia-os/guest-js";
  for await (const message of inbox) {
    const method = message.text();
    const body = method === "GET" ? undefined : String(Date.now());
    try {
      const response = await fetch("https://example.test/", { method, body });
      message.reply(response.status + " " + (await response.text()));
    } catch (error) {
      message.reply("failed: " + error.message);
    }
  }`;

let manifest: { name: string; program: Uint8Array; memoryPages: number; grants: readonly string[] };
beforeAll(async () => {
  const { bytes, grants } = await buildAgent({ source: SOURCE });
  manifest = {
    name: "agent",
    program: bytes,
    memoryPages: 256,
    grants: [...grants, "service/http", "replica/hold"],
  };
}, 120_000);

/** A world whose requests are answered when it is told to. */
function worldWithHttp() {
  const world = new World(() => 0.5);
  const requests: { readonly method: string; readonly body: string; answer(text: string): void }[] = [];
  world.http = {
    fetch: ({ method = "GET", body }: HttpRequest) =>
      new Promise<HttpResponse>((resolve) => {
        const answer = (text: string): void =>
          resolve({ status: 200, headers: {}, body: new TextEncoder().encode(text) });
        requests.push({ method, body: new TextDecoder().decode(body), answer });
      }),
  } as World["http"];
  return { world, requests };
}

/** An agent that was asked for a request, up to the call. */
async function asked(method: string) {
  const { world, requests } = worldWithHttp();
  const node = new OutputsNode(world, 1);
  await node.start(manifest);
  node.hold(node.entries.length);
  node.ask(1, method);
  await node.run();
  return { world, requests, node };
}

/** Its node is gone; the replica has all it was told. */
async function takenOver(world: World, node: OutputsNode): Promise<OutputsNode> {
  node.crash();
  const next = new OutputsNode(world, 2);
  await next.adopt(node.copy(manifest, node.entries.length), 2);
  await next.run();
  return next;
}

describe("RC1: a request of an agent with a replica", () => {
  it("GET is made at once, and again after a takeover", async () => {
    const { world, requests, node } = await asked("GET");
    expect(requests).toHaveLength(1);
    const next = await takenOver(world, node);
    expect(requests).toHaveLength(2);
    requests[1]?.answer("there");
    await next.run();
    next.hold(next.entries.length);
    expect(world.replies).toEqual(["200 there"]);
  });

  it("PUT is made when what led to it is held, and again, the same, after a takeover", async () => {
    const { world, requests, node } = await asked("PUT");
    expect(requests).toEqual([]);
    node.hold(node.entries.length);
    await node.run();
    expect(requests).toHaveLength(1);
    const next = await takenOver(world, node);
    next.hold(next.entries.length);
    await next.run();
    expect(requests.map(({ body }) => body)).toEqual([requests[0]?.body, requests[0]?.body]);
    requests[1]?.answer("kept");
    await next.run();
    next.hold(next.entries.length);
    expect(world.replies).toEqual(["200 kept"]);
  });

  it("POST is made when what led to it is held; one that was under way is not made again, and the agent is told and goes on", async () => {
    const { world, requests, node } = await asked("POST");
    expect(requests).toEqual([]);
    node.hold(node.entries.length);
    await node.run();
    expect(requests).toHaveLength(1);
    const next = await takenOver(world, node);
    next.hold(next.entries.length);
    expect(requests).toHaveLength(1);
    expect(world.replies).toEqual([expect.stringContaining("it was made once or not at all")]);
    next.ask(2, "GET");
    await next.run();
    requests[1]?.answer("goes on");
    await next.run();
    next.hold(next.entries.length);
    expect(world.replies[1]).toBe("200 goes on");
  });

  it("RC1: POST that waits to be held, and was not begun when its node paused, is made once it goes on", async () => {
    const { world, requests, node } = await asked("POST");
    const pausing = node.gate.pause("ab".repeat(16) as never);
    await node.run();
    await pausing;
    node.hold(node.entries.length);
    await node.gate.resume("ab".repeat(16) as never);
    await node.run();
    node.hold(node.entries.length);
    await node.run();
    expect(requests).toHaveLength(1);
    requests[0]?.answer("once");
    await node.run();
    node.hold(node.entries.length);
    expect(world.replies).toEqual(["200 once"]);
  });

  it("whose answer is in the log is not made again: the agent has that answer", async () => {
    const { world, requests, node } = await asked("POST");
    node.hold(node.entries.length);
    await node.run();
    requests[0]?.answer("made");
    await node.run();
    const next = await takenOver(world, node);
    next.hold(next.entries.length);
    expect(requests).toHaveLength(1);
    expect(world.replies).toEqual(["200 made"]);
  });

  it("that was under way when a checkpoint was taken is known to be so by the checkpoint alone", async () => {
    const { world, requests, node } = await asked("POST");
    node.hold(node.entries.length);
    await node.run();
    await node.checkpoint(true);
    const next = await takenOver(world, node);
    next.hold(next.entries.length);
    expect(requests).toHaveLength(1);
    expect(world.replies).toEqual([expect.stringContaining("it was made once or not at all")]);
  });
});
