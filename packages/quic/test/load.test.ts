/** Loading: what is refused, and that a refusal is typed. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { buildNative } from "../scripts/build-native.ts";
import { loadQuic, whyNoQuic } from "../src/index.ts";
import { REQUIRED_SYMBOLS } from "../src/symbols.ts";
import { noAddon } from "./addon.ts";

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "quic-load-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

describe("loading", () => {
  test.each(["3.0.19", "3.5.7+quic", "1.1.1w", "", "BoringSSL", "0.0.0"])(
    "OpenSSL %s is refused before anything is loaded",
    (opensslVersion) => {
      expect(whyNoQuic({ opensslVersion, folder: "nowhere" })).toMatchObject({
        code: "quic.unsupported-openssl",
        changed: expect.stringContaining("Nothing"),
      });
    },
  );

  test("a folder without binaries, and a file that is no binary, are typed refusals", () => {
    expect(whyNoQuic({ folder: folder() })).toMatchObject({ code: "quic.load-failed" });
    const rubbish = folder();
    writeFileSync(join(rubbish, "probe.node"), "this is no shared object");
    expect(whyNoQuic({ folder: rubbish })).toMatchObject({ code: "quic.load-failed", retryable: false });
  });
});

describe.skipIf(noAddon !== undefined)(
  `the binary, needs a compiler and Node's headers${noAddon ?? ""}`,
  () => {
    const built = buildNative();
    const binaries = built.kind === "skipped" ? "" : built.folder;

    test("newer versions of OpenSSL are taken, and the addon is loaded once", () => {
      expect(whyNoQuic({ opensslVersion: "3.5.8" })).toBeUndefined();
      expect(whyNoQuic({ opensslVersion: "3.6.0" })).toBeUndefined();
      expect(whyNoQuic({ opensslVersion: "4.0.0-dev" })).toBeUndefined();
      expect(loadQuic()).toBe(loadQuic());
    });

    test("the symbols that are looked up are those that the binary needs", (context) => {
      const { status, stdout } = spawnSync("nm", ["-D", "--undefined-only", join(binaries, "quic.node")], {
        encoding: "utf8",
      });
      context.skip(status !== 0, "needs nm");
      const ours = /^(SSL|OPENSSL|ERR|X509|BIO|EVP|PKCS8|d2i|i2d|OSSL|uv)_/;
      const needed = stdout.split("\n").map((line) => line.trim().split(/\s+/)[1] ?? "");
      expect([...REQUIRED_SYMBOLS].sort()).toEqual(needed.filter((name) => ours.test(name)).sort());
    });

    test("an older Node is refused with a typed error and lives on", (context) => {
      const old = spawnSync("/usr/bin/env", ["-i", "/usr/bin/node", "-p", "process.versions.openssl"], {
        encoding: "utf8",
      });
      context.skip(
        old.status !== 0 || !/^(1|2|3\.[0-4])\b/.test(old.stdout),
        "needs a system Node with an OpenSSL before 3.5",
      );
      const copy = folder();
      for (const name of ["quic.node", "probe.node"]) copyFileSync(join(binaries, name), join(copy, name));
      const program = `
      const probe = require(${JSON.stringify(join(copy, "probe.node"))});
      console.log(probe.has("SSL_new_listener"), probe.has("uv_poll_init"));
      try { require(${JSON.stringify(join(copy, "quic.node"))}); console.log("loaded"); }
      catch (error) { console.log(error.code); }`;
      const { status, stdout } = spawnSync("/usr/bin/node", ["-e", program], { encoding: "utf8" });
      expect({ status, lines: stdout.trim().split("\n") }).toEqual({
        status: 0,
        lines: ["false true", "ERR_DLOPEN_FAILED"],
      });
    });
  },
);
