import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import {
  createWasmEngine,
  ImportNotGrantedError,
  PayloadTooBigError,
  StackExhaustedError,
} from "@glia-os/wasm";
import { describe, expect, it } from "vitest";
import { compileGuest } from "../scripts/compile-guest.ts";
import { generateUnicode, unicodeSource } from "../scripts/generate-unicode.ts";
import { admitted, DrivenGuest } from "./drive.ts";
import { guestModule } from "./guests.ts";

const root = join(import.meta.dirname, "..");
const node24 = join(root, "..", "..", "conformance", "runtimes", "node24", "node_modules", ".bin", "node");

function build(runtime: string, target: string): void {
  execFileSync(runtime, [
    "--conditions=@glia-os/source",
    "--no-warnings",
    join(root, "scripts", "build-guests.ts"),
    target,
    "word-count",
    "counter",
  ]);
}

describe("the build", () => {
  it("the committed Unicode table is what the generator writes", () => {
    expect(readFileSync(unicodeSource, "utf8")).toBe(generateUnicode());
  });

  it.skipIf(!existsSync(node24))(
    "makes the same bytes on Node 24 and on this Node (needs Node 24 installed)",
    () => {
      const folder = mkdtempSync(join(tmpdir(), "glia-guests-"));
      try {
        build(process.execPath, join(folder, "this"));
        build(node24, join(folder, "24"));
        const names = readdirSync(join(folder, "this"));
        expect(names).toContain("word-count.wasm");
        for (const name of names)
          expect(
            readFileSync(join(folder, "24", name)).equals(readFileSync(join(folder, "this", name))),
            name,
          ).toBe(true);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});

describe("the SDK", () => {
  it("compiles the README's guest from a project that has the package installed, and it runs and moves", async () => {
    const readme = readFileSync(join(root, "README.md"), "utf8");
    const source = /```assemblyscript\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    const folder = mkdtempSync(join(tmpdir(), "glia-agent-"));
    try {
      mkdirSync(join(folder, "node_modules", "@glia-os"), { recursive: true });
      symlinkSync(root, join(folder, "node_modules", "@glia-os", "guest-as"), "junction");
      writeFileSync(join(folder, "agent.ts"), source);
      const { bytes } = await compileGuest(join(folder, "agent.ts"));
      const guest = new DrivenGuest(await createWasmEngine().admit(bytes, ["glia.v1", "glia.sys.v1"]));
      guest.send(new TextEncoder().encode("é"));
      guest.move();
      guest.send(new TextEncoder().encode("漢"));
      expect(guest.replies.map((reply) => new TextDecoder().decode(reply))).toEqual(["é x1", "漢 x2"]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("echo", () => {
  it("replies with what it gets, moves in between, and grows its buffer for a longer message", async () => {
    const guest = new DrivenGuest(await admitted("echo"));
    expect(guest.send(Uint8Array.of(1, 2, 3))).toEqual(Uint8Array.of(1, 2, 3));
    guest.move();
    expect(guest.send(new Uint8Array())).toEqual(new Uint8Array());
    const long = new Uint8Array(100_000).map((_, at) => at & 0xff);
    expect(() => guest.send(long)).toThrow(PayloadTooBigError);
    // The message stays first in line: the host answers E_TOO_BIG until the guest asks with enough room.
    while ((guest.instance.pending?.args[1] ?? 0) < long.length)
      guest.instance.step({ value: GUEST_ERRORS.E_TOO_BIG });
    expect(guest.send(long)).toEqual(long);
  });

  it("runs thousands of messages in the same memory", async () => {
    const guest = new DrivenGuest(await admitted("echo"));
    const message = new Uint8Array(1000).fill(7);
    for (let n = 0; n < 1000; n++) guest.send(message);
    const before = guest.instance.memoryBytes;
    for (let n = 0; n < 10_000; n++) guest.send(message);
    expect(guest.instance.memoryBytes).toBe(before);
  });
});

describe("hostile guests", () => {
  it("one that asks for imports nobody granted is refused with the list of all it asks for", async () => {
    const bytes = await guestModule("hostile-import");
    const refusal = await createWasmEngine()
      .admit(bytes, ["glia.v1"])
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ImportNotGrantedError);
    expect((refusal as ImportNotGrantedError).details).toEqual({
      missing: ["env/system", "glia.v1/format_disk"],
      asked: ["env/system", "glia.v1/format_disk", "glia.v1/receive"],
      granted: ["glia.v1"],
    });
  });

  it("one that takes all memory stops at its limit and lives on", async () => {
    const guest = new DrivenGuest(await admitted("hostile-memory"), { memoryPages: 30 });
    const reply = guest.send(new Uint8Array()) ?? new Uint8Array(4);
    expect(new DataView(reply.buffer).getUint32(0, true)).toBe(30);
    expect(guest.outcome).toEqual({ kind: "finished", status: 30 });
  });

  it("one that recurses without end fails alone", async () => {
    const bystander = new DrivenGuest(await admitted("echo"));
    const { outcome } = new DrivenGuest(await admitted("hostile-recursion"));
    expect(outcome.kind === "failed" && outcome.error).toBeInstanceOf(StackExhaustedError);
    expect(bystander.send(Uint8Array.of(5))).toEqual(Uint8Array.of(5));
  });
});

describe("counter", () => {
  it("moves at every one of its calls 120 levels deep and answers as one that stays", async () => {
    const program = await admitted("counter");
    const stays = new DrivenGuest(program);
    const moves = new DrivenGuest(program);
    const send = (value: number): void => {
      const message = Uint8Array.of(value & 0xff, (value >> 8) & 0xff, 3, 1);
      if (stays.replies.length === 0) message.fill(0, 1);
      stays.send(message);
      moves.move();
      moves.send(message);
    };
    send(120);
    for (let n = 0; n < 241; n++) send(n * 31);
    expect(moves.replies).toEqual(stays.replies);
    expect(moves.replies.length).toBe(242);
  });
});
