import { execFile, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import type { HostPort } from "@glia-os/abi/ports";
import { afterEach, describe, expect, it } from "vitest";
import { Members } from "../members.ts";

const LIMIT_MS = 50_000;
const VALIDITY_MS = 3000;
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
let mesh: Members | undefined;
afterEach(() => mesh?.stop());

/** Run openssl; what it wrote, also when it failed. */
function openssl(args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile("openssl", args, { timeout: 20_000 }, (_, out, err) => resolve(out + err));
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

/** What `openssl s_client` is shown, and what `openssl x509` reads in it. */
async function shownAt({ host, port }: HostPort): Promise<{ pem: string; read: string }> {
  const out = await openssl(["s_client", "-connect", `${host}:${port}`, "-alpn", "glia/1"]);
  const pem = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(out)?.[0] ?? "";
  return { pem, read: await openssl(["x509", "-noout", "-subject", "-serial", "-enddate"], pem) };
}

describe("certificates of processes that talk", () => {
  it.skipIf(!hasOpenssl)(
    "openssl sees the certificate of a member replaced twice, under one name, while no call of any member fails and no session ends (needs openssl)",
    async () => {
      mesh = await Members.start({ size: 3, profile: "lan", certificateMs: VALIDITY_MS });
      const at = (await mesh.addressOf(1)) as HostPort;
      mesh.talk(true);
      const seen = new Map<string, { pem: string; read: string }>();
      const endMs = performance.now() + LIMIT_MS;
      while (seen.size < 3 && performance.now() < endMs) {
        const shown = await shownAt(at);
        seen.set(shown.read, shown);
      }
      const answered = mesh.talked.answered;
      mesh.talk(false);
      expect(seen.size, [...seen.keys()].join("")).toBeGreaterThanOrEqual(3);
      expect(answered).toBeGreaterThan(0);
      expect(mesh.talked.failed).toEqual([]);
      expect(mesh.talked.sessionsDown).toEqual([]);
      const certificates = [...seen.values()].map(({ pem, read }) => ({
        read,
        own: new X509Certificate(pem),
      }));
      expect(new Set(certificates.map(({ own }) => own.subject)).size, "one name").toBe(1);
      for (const { read, own } of certificates) {
        expect(read).toContain(`serial=${own.serialNumber}`);
        expect(own.validToDate.getTime() - own.validFromDate.getTime()).toBeLessThan(400_000);
      }
    },
  );
});
