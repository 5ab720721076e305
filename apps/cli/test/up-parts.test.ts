/** Parts of `glia up` by themselves: its log, what it remembers, what it tells systemd. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { Terminal } from "../src/terminal/terminal.ts";
import { rememberedStart, rememberStart, sameAddress } from "../src/up/remembered-start.ts";
import { tellServiceManager } from "../src/up/service-manager.ts";
import { UpLog } from "../src/up/up-log.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-up-parts-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A terminal whose lines on standard error are kept. */
function kept(): { readonly terminal: Terminal; readonly lines: string[] } {
  const lines: string[] = [];
  const sink = (take: (text: string) => void): Writable =>
    new Writable({
      write: (chunk: Buffer, _, done) => {
        take(chunk.toString().trimEnd());
        done();
      },
    });
  const streams = { out: sink(() => {}), err: sink((text) => lines.push(text)) };
  return { terminal: new Terminal({ ...streams, json: false, verbose: false }), lines };
}

describe("the log of a node", () => {
  it("UL1: is one JSON object per line, and fields that clash with its own keep their values", () => {
    const { terminal, lines } = kept();
    const log = new UpLog(terminal, { format: "json", level: "info" });
    log.child({ thread: "mesh" }).log("warn", "it\nhappened", { count: 3 });
    log.log("error", "clash", { level: "x", message: "y" });
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        level: "warn",
        message: "it\nhappened",
        thread: "mesh",
        count: 3,
      },
      { time: expect.any(String), level: "error", message: "clash", fields: { level: "x", message: "y" } },
    ]);
  });

  it("UL2: writes from its level on, and takes another level and format while it runs", () => {
    const { terminal, lines } = kept();
    const log = new UpLog(terminal, { format: "pretty", level: "warn" });
    log.log("info", "not written");
    log.log("warn", "written", { path: "/a b", node: "hub" });
    log.use({ format: "json", level: "debug" });
    log.log("debug", "now too");
    expect(stripVTControlCharacters(lines[0] ?? "")).toMatch(
      /^\d\d:\d\d:\d\d warn {2}written path="\/a b" node=hub$/,
    );
    expect([lines.length, (JSON.parse(lines[1] ?? "") as { message: string }).message]).toEqual([
      2,
      "now too",
    ]);
  });
});

describe("what a node remembers of its first start", () => {
  it("RS1: comes back as it was; a damaged file is as if there were none", () => {
    expect(rememberedStart(scratch)).toBeUndefined();
    rememberStart(scratch, { role: "relay", port: 7401 });
    expect(rememberedStart(scratch)).toEqual({ role: "relay", port: 7401 });
    for (const text of ["", "{", "[]", '{"role":"boss","port":1}', '{"role":"core","port":"1"}']) {
      writeFileSync(join(scratch, "start.json"), text);
      expect([text, rememberedStart(scratch)]).toEqual([text, undefined]);
    }
  });

  it("any port becomes the port it had, unless somebody has taken it or another one is asked for", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { readonly port: number };
    const any = { host: "127.0.0.1", port: 0 };
    expect(await sameAddress(any, port)).toEqual(any);
    await new Promise((resolve) => taken.close(resolve));
    expect(await sameAddress(any, port)).toEqual({ host: "127.0.0.1", port });
    expect(await sameAddress({ host: "127.0.0.1", port: 7400 }, port)).toEqual({
      host: "127.0.0.1",
      port: 7400,
    });
  });
});

describe("what a node tells systemd", () => {
  it("SM1: its state, its process and a line for people; nothing where nobody listens", async () => {
    const said = join(scratch, "said");
    const notify = join(scratch, "systemd-notify");
    writeFileSync(notify, `#!/bin/sh\nprintf '%s\\n' "$@" >> ${said}\n`);
    chmodSync(notify, 0o755);
    const path = process.env["PATH"];
    process.env["PATH"] = `${scratch}:${path}`;
    try {
      await tellServiceManager("ready", "not told", {});
      await tellServiceManager("ready", "hub is one of 3 members", { NOTIFY_SOCKET: "/run/x" });
      await tellServiceManager("stopping", "leaving", { NOTIFY_SOCKET: "/run/x" });
    } finally {
      process.env["PATH"] = path;
    }
    expect(readFileSync(said, "utf8").split("\n")).toEqual([
      "--ready",
      `--pid=${process.pid}`,
      "--status=hub is one of 3 members",
      "--stopping",
      `--pid=${process.pid}`,
      "--status=leaving",
      "",
    ]);
  });
});
