/** The SDK as a guest's author uses it: compiled from source, run as a task of the kernel. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileOperation, HttpRequest } from "@glia-os/abi/ports";
import { ALL_RIGHTS, RIGHTS } from "@glia-os/abi/syscalls";
import { GUEST_ERRORS, SYS_IMPORTS, SYS_MODULE } from "@glia-os/abi/wire";
import { ascArguments } from "@glia-os/guest-as";
import { CompileFailedError, compileAssemblyScript } from "@glia-os/guest-as/build";
import type { Handle, Kernel, Routine } from "@glia-os/kernel";
import { guestProgram, Parcel } from "@glia-os/kernel/guests";
import type { Service, ServiceKind } from "@glia-os/kernel/services";
import { createTestKernel, runToCompletion, type VirtualClock } from "@glia-os/kernel/testing";
import { createWasmEngine, inspectModule } from "@glia-os/wasm";
import { instrument } from "@glia-os/wasm/pipeline";
import { afterAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const scratch = mkdtempSync(join(tmpdir(), "glia-sdk-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let sources = 0;

/** A module of source text that lies in a folder of its own. */
async function compiled(text: string): Promise<Uint8Array> {
  const folder = join(scratch, String(++sources));
  mkdirSync(folder);
  writeFileSync(join(folder, "agent.ts"), text);
  return compileAssemblyScript(join(folder, "agent.ts"));
}

function at(kind: ServiceKind, answers: (request: never) => unknown): Service {
  const perform: Service["perform"] = (request, settle) => {
    try {
      settle.ok(answers(request as never));
    } catch (error) {
      settle.fail(error);
    }
    return undefined;
  };
  return { kind, name: kind, perform };
}

/** A guest on a kernel with virtual time. */
async function running(text: string, services: readonly Service[] = []) {
  const { bytes } = await instrument(await compiled(text));
  const program = await createWasmEngine().admit(bytes, ["glia.v1", SYS_MODULE]);
  const { kernel, clock } = createTestKernel();
  const inbox = kernel.mailbox();
  const give = services.map((one) => ({ handle: kernel.service(one), rights: ALL_RIGHTS }));
  const capabilities = services.map(({ kind }) => ({ name: kind }));
  const task = kernel.spawn(guestProgram(program, { capabilities }), {
    give: [{ handle: inbox, rights: RIGHTS.receive }, ...give],
  });
  return { kernel, clock, inbox, task, ask: (message: unknown) => asked(kernel, clock, inbox, message) };
}

function asked(kernel: Kernel, clock: VirtualClock, inbox: Handle, message: unknown): string {
  const asking = kernel.spawn(
    function* (sys, to): Routine<unknown> {
      return yield* sys.call(to as Handle, message, 500);
    },
    { give: [{ handle: inbox, rights: RIGHTS.call }] },
  );
  while (kernel.exitOf(asking) === undefined) {
    if (kernel.runSlice() === "more") continue;
    const next = kernel.nextDeadlineMs();
    if (next === undefined || kernel.exitOf(asking) !== undefined) break;
    clock.advanceTo(next);
  }
  const exit = kernel.exitOf(asking);
  if (exit?.kind === "ok") return Buffer.from(exit.value as Uint8Array).toString();
  return exit?.kind === "failed" ? (exit.error as { code: string }).code : String(exit?.kind);
}

const ALL_CALLS = `
import { Capability, Rights, failure, failureText, quote, receiveText, replyText } from "@glia-os/guest-as/assembly";

function bytesOf(text: string): Uint8Array {
  return Uint8Array.wrap(String.UTF8.encode(text));
}
function said(text: string | null): string {
  return text === null ? "null " + failure().toString() + " " + failureText() : text;
}
function perform(what: string): string {
  if (what == "fetch") {
    const answer = Capability.named("http")!.fetch("https://a/\\"", "PUT", '{"x":"y"}', bytesOf("body"));
    return answer === null ? said(null) : answer.status.toString() + " " + answer.head + " " + answer.text();
  }
  if (what == "files") {
    const files = Capability.named("files")!;
    const written = files.writeFile("/b", bytesOf("new"));
    return String.UTF8.decode(files.readFile("/a")!.buffer) + said(files.listFiles("/")) + written.toString();
  }
  if (what == "exec") return said(Capability.named("tool")!.exec('{"n":' + quote("\\u0001é") + "}"));
  if (what == "fail") return said(Capability.named("tool")!.exec('"fail"'));
  if (what == "model") return said(Capability.named("model")!.model("[]"));
  if (what == "approve") return said(Capability.named("approver")!.approve("really?"));
  if (what == "none") return said(Capability.named("nothing") === null ? null : "there");
  if (what == "weak") {
    const weak = Capability.named("tool")!.attenuate(Rights.GRANT)!;
    const refused = said(weak.exec("1"));
    const ended = Capability.named("tool")!.revoke();
    return refused + ended.toString() + " " + weak.rights.toString() + " " + weak.drop().toString();
  }
  return "?";
}
export function glia_main(): i32 {
  while (true) replyText(perform(receiveText()));
}
`;

describe("capabilities", () => {
  it("reach every service, with results of any length and errors in words", async () => {
    const seen: unknown[] = [];
    const guest = await running(ALL_CALLS, [
      at("http", (request: HttpRequest) => {
        seen.push([request.url, request.method, request.headers, Buffer.from(request.body ?? []).toString()]);
        return { status: 404, headers: {}, body: Buffer.from("not there".repeat(1000)) };
      }),
      at("files", (asked: FileOperation) =>
        asked.operation === "read" ? Buffer.from("content") : asked.operation === "list" ? ["a"] : undefined,
      ),
      at("tool", (input: { n: string }) => {
        if (typeof input === "string") throw new RangeError("no luck");
        return input.n.length;
      }),
      at("model", () => ({ answer: "x".repeat(100_000) })),
      at("approver", () => ({ approved: false, by: "them" })),
    ]);
    expect(guest.ask("fetch")).toBe(`404 {"status":404,"headers":{}} ${"not there".repeat(1000)}`);
    expect(seen).toEqual([['https://a/"', "PUT", { x: "y" }, "body"]]);
    expect(guest.ask("files")).toBe('content["a"]0');
    expect(guest.ask("exec")).toBe("2");
    expect(guest.ask("fail")).toBe('null -10 {"code":"failed","message":"no luck"}');
    expect(guest.ask("model")).toBe(`{"answer":"${"x".repeat(100_000)}"}`);
    expect(guest.ask("approve")).toBe('{"approved":false,"by":"them"}');
    expect(guest.ask("none")).toBe(`null ${GUEST_ERRORS.E_GONE} `);
    expect(guest.ask("weak")).toBe("null -9 1 -8 -8");
  });

  it("go with messages, and come with them", async () => {
    const { kernel, clock } = createTestKernel();
    const { bytes } = await instrument(
      await compiled(`import { Capability, Grant, Rights, receive, replyText } from "@glia-os/guest-as/assembly";
      export function glia_main(): i32 {
        while (true) {
          receive();
          const came = Capability.accepted(0);
          const box = Capability.named("box")!;
          if (came === null) replyText(box.send(new Uint8Array(3), [new Grant(box, Rights.SEND)]).toString());
          else replyText(came.rights.toString());
        }
      }`),
    );
    const program = await createWasmEngine().admit(bytes, ["glia.v1", SYS_MODULE]);
    const box = kernel.mailbox();
    const inbox = kernel.mailbox();
    kernel.spawn(guestProgram(program, { capabilities: [{ name: "box" }] }), {
      give: [
        { handle: inbox, rights: RIGHTS.receive },
        { handle: box, rights: RIGHTS.send | RIGHTS.grant },
      ],
    });
    expect(asked(kernel, clock, inbox, "send")).toBe("0");
    const parcel = kernel.tryReceive(box) as Parcel;
    expect([parcel instanceof Parcel, parcel.size, parcel.bytes.length]).toEqual([true, 1, 3]);
    expect(asked(kernel, clock, inbox, parcel)).toBe(String(RIGHTS.send));
    expect(asked(kernel, clock, inbox, parcel)).toBe("0");
  });
});

describe("timers", () => {
  it("come between messages when they are due, each once, and not when they were cancelled", async () => {
    const guest = await running(`
      import { Timers, replyText } from "@glia-os/guest-as/assembly";
      export function glia_main(): i32 {
        const timers = new Timers();
        let told = "";
        timers.after(300, 3);
        timers.after(100, 1);
        timers.after(200, 2);
        timers.after(50, 9);
        timers.cancel(9);
        timers.after(400, 1);
        while (true) {
          const next = timers.next();
          if (next.timer >= 0) told += next.timer.toString();
          else replyText(next.text() + told);
        }
      }`);
    const { kernel, clock, inbox } = guest;
    runToCompletion(kernel, clock);
    expect(clock.monotonicMs()).toBe(400);
    expect(asked(kernel, clock, inbox, "a")).toBe("a231");
    expect(asked(kernel, clock, inbox, "b")).toBe("b231");
  });
});

describe("the compiler", () => {
  it("says file, line and column of what it refuses, and of what is not there", async () => {
    await expect(compiled("export function glia_main(): i32 { return nothing; }")).rejects.toThrow(
      /agent\.ts[\s\S]*nothing[\s\S]*1,\d+/,
    );
    await expect(compileAssemblyScript(join(scratch, "absent.ts"))).rejects.toThrow(CompileFailedError);
    await expect(compiled('import { x } from "@glia-os/guest-as/assembly/absent"; x();')).rejects.toThrow(
      /absent/,
    );
  });

  it("takes the SDK that lies beside the guest, makes the same module of it, and imports only what is used", async () => {
    const text = `import { receive } from "@glia-os/guest-as/assembly";
      export function glia_main(): i32 { return receive().length; }`;
    const own = await compiled(text);
    const project = join(scratch, "project");
    cpSync(join(root, "assembly"), join(project, "node_modules/@glia-os/guest-as/assembly"), {
      recursive: true,
    });
    writeFileSync(join(project, "agent.ts"), text);
    const beside = await compileAssemblyScript(join(project, "agent.ts"));
    expect(Buffer.from(beside).equals(Buffer.from(own))).toBe(true);
    const index = join(project, "node_modules/@glia-os/guest-as/assembly/index.ts");
    writeFileSync(index, `${readFileSync(index, "utf8")}\nexport const EXTRA: i32 = 7;\n`);
    writeFileSync(
      join(project, "agent.ts"),
      `import { EXTRA } from "@glia-os/guest-as/assembly"; export function glia_main(): i32 { return EXTRA; }`,
    );
    expect(await compileAssemblyScript(join(project, "agent.ts"))).toBeInstanceOf(Uint8Array);
    const { imports } = inspectModule(own);
    expect(imports.filter(({ module }) => module === SYS_MODULE)).toEqual([]);
  });
});

describe("the package as it is published", () => {
  it("has sources that the compiler finds by itself from a project, and makes the same module of them", async () => {
    const project = join(scratch, "installed");
    const target = join(project, "node_modules/@glia-os/guest-as");
    mkdirSync(target, { recursive: true });
    const packed = execFileSync(
      "npm",
      ["pack", "--ignore-scripts", "--json", "--pack-destination", project],
      {
        cwd: root,
        encoding: "utf8",
      },
    );
    const listed = JSON.parse(packed) as readonly { readonly filename: string }[];
    execFileSync("tar", [
      "-xzf",
      join(project, listed[0]?.filename ?? ""),
      "-C",
      target,
      "--strip-components=1",
    ]);
    const text = `import { Capability, receiveText } from "@glia-os/guest-as/assembly";
      export function glia_main(): i32 { return Capability.named(receiveText()) === null ? 1 : 0; }`;
    writeFileSync(join(project, "agent.ts"), text);
    const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
    execFileSync(process.execPath, [asc, ...ascArguments("agent.ts", "agent.wasm")], { cwd: project });
    const made = readFileSync(join(project, "agent.wasm"));
    expect(made.equals(Buffer.from(await compiled(text)))).toBe(true);
  });
});

describe("the documentation", () => {
  it("the program in the README compiles, counts without a capability, and fetches with one", async () => {
    const text =
      /```assemblyscript\n([\s\S]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8"))?.[1] ?? "";
    const plain = await running(text);
    expect(plain.ask("hello")).toBe("hello x1");
    expect(plain.ask("hello")).toBe("hello x2");
    const web = await running(text, [
      at("http", ({ url }: HttpRequest) => {
        if (url === "bad:") throw new RangeError("no such place");
        return { status: 200, headers: {}, body: Buffer.from(url) };
      }),
    ]);
    expect(web.ask("https://a/")).toBe("200 https://a/");
    expect(web.ask("bad:")).toBe('{"code":"failed","message":"no such place"}');
    expect(web.ask("")).toBe(`error ${GUEST_ERRORS.E_RANGE}`);
  });

  it("every import of the module is declared for guests that use it as it is", () => {
    const declared = readFileSync(join(root, "assembly", "sys.ts"), "utf8");
    for (const { name } of SYS_IMPORTS) expect(declared).toContain(`@external("glia.sys.v1", "${name}")`);
    const errors = readFileSync(join(root, "assembly", "errors.ts"), "utf8");
    for (const [name, value] of Object.entries(GUEST_ERRORS))
      expect(errors).toContain(`export const ${name}: i32 = ${value};`);
  });
});
