/** Agents of real nodes that were given HTTP and files: what they reach, what they do not, and what a move does to it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import { createNode, type LocalNode, type NodeServices } from "@glia-os/daemon";
import { compileAssemblyScript } from "@glia-os/guest-as/build";
import { instrument } from "@glia-os/wasm/pipeline";
import { afterAll, beforeAll, expect, test } from "vitest";

/** `GET url`, or `WRITE text` to a file and back. */
const SOURCE = `import { Capability, failure, failureText, receiveText, replyText } from "@glia-os/guest-as/assembly";
function fetched(url: string): string {
  const page = Capability.named("http")!.fetch(url);
  return page === null ? failure().toString() + " " + failureText() : page.status.toString() + " " + page.text();
}
function written(text: string): string {
  const files = Capability.named("files")!;
  const result = files.writeFile("note.txt", Uint8Array.wrap(String.UTF8.encode(text)));
  if (result < 0) return result.toString();
  return files.listFiles(".")! + " " + String.UTF8.decode(files.readFile("note.txt")!.buffer);
}
export function glia_main(): i32 {
  while (true) {
    const asked = receiveText();
    replyText(asked.startsWith("GET ") ? fetched(asked.substring(4)) : written(asked.substring(6)));
  }
}`;

const base = mkdtempSync(join(tmpdir(), "glia-agent-services-"));
const nodes: LocalNode[] = [];
let server: Server;
let origin: string;
let module: Uint8Array;

beforeAll(async () => {
  server = createServer((request, response) => response.end(`you asked for ${request.url}`));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(join(base, "agent.ts"), SOURCE);
  module = (await instrument(await compileAssemblyScript(join(base, "agent.ts")))).bytes;
});
afterAll(async () => {
  for (const node of nodes.reverse()) await node.stop();
  server.close();
  rmSync(base, { recursive: true, force: true });
});

async function node(name: string, services: NodeServices, line?: string): Promise<LocalNode> {
  const made = await createNode({
    dataDir: join(base, name),
    name,
    role: line === undefined ? "core" : "edge",
    bind: { host: "127.0.0.1", port: 0 },
    start: line === undefined ? { kind: "new-cluster" } : { kind: "join", line },
    services,
  });
  nodes.push(made);
  return made;
}

test("an agent reaches what its manifest asks for and its node offers, before and after a move, and nothing else", async () => {
  for (const folder of ["here", "there"]) mkdirSync(join(base, "files", folder), { recursive: true });
  const http = { origins: [origin], privateAddresses: true };
  const files = (folder: string) => ({ folder: join(base, "files", folder), writable: folder === "here" });
  const core = await node("core", { http, files: files("here") });
  const line = async () => core.createJoinLine({ ttlMs: 60_000, uses: 1 });
  const edge = await node("edge", { http, files: files("there") }, await line());
  const bare = await node("bare", {}, await line());

  const grants = ["glia.v1", "glia.sys.v1", "service/http", "service/files"];
  expect(await bare.spawn({ name: "asks", module, grants }).catch(errorCodeOf)).toBe("cells.service-missing");
  const { agent } = await core.spawn({ name: "asks", module, grants });
  const ask = async (text: string): Promise<string> =>
    new TextDecoder().decode(await core.ask("asks", new TextEncoder().encode(text), 20_000));
  expect(await ask(`GET ${origin}/one`)).toBe("200 you asked for /one");
  expect(await ask("GET http://127.0.0.1:1/")).toMatch(/^-10 .*host\./);
  expect(await ask("WRITE kept here")).toBe('["note.txt"] kept here');
  expect(readFileSync(join(base, "files", "here", "note.txt"), "utf8")).toBe("kept here");

  await core.migrate(agent, (await edge.status()).node);
  expect(await ask(`GET ${origin}/two`)).toBe("200 you asked for /two");
  expect(await ask("WRITE there it may only read")).toBe("-9");
  await expect(core.migrate(agent, (await bare.status()).node)).rejects.toThrow();
  expect(await ask(`GET ${origin}/three`)).toBe("200 you asked for /three");
});

test("a node that cannot offer what it is told to does not start", async () => {
  const folder = join(base, "absent");
  const starting = node("wrong", { files: { folder } });
  expect(errorCodeOf(await starting.catch((error: unknown) => error))).toMatch(/^(host|daemon)\./);
});
