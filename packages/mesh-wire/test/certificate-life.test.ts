import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HostPort } from "@glia-os/abi/ports";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  CLOCK_SKEW_MS,
  createNodeIdentity,
  issueNodeCertificate,
  type PeerCertificateExpired,
  ROTATE_AT_REMAINING_MS,
  type WireTransport,
  type WireTransportOptions,
} from "../src/index.ts";
import { LOOPBACK, makeTransport } from "./endpoints.ts";
import { ManualTime, realRandom, settle, until } from "./ports.ts";

const DAY_MS = 86_400_000;
const THIRTY_DAYS_S = ROTATE_AT_REMAINING_MS / 1000;

interface Ran {
  readonly code: number;
  readonly out: string;
}

/** Run Debian's openssl with its standard input closed or given. */
function openssl(args: readonly string[], input = ""): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile("openssl", args, { timeout: 20_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, out: stdout + stderr });
    });
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

const { code: opensslCode } = await openssl(["version"]);
const hasOpenssl = opensslCode === 0;

describe("certificates over time", () => {
  const opened: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((own) => own.close()));
  });

  function open(options: Partial<WireTransportOptions> = {}): WireTransport {
    const transport = makeTransport(options);
    opened.push(transport);
    return transport;
  }

  it("S6: a session ends in order, with the reason, when its peer's certificate has expired, and not before", async () => {
    const time = new ManualTime();
    const expired: PeerCertificateExpired[] = [];
    const ports = { clock: time, timers: time, limits: { idleMs: 2 ** 31 - 1, keepaliveMs: 60_000 } };
    const b = open({ ...ports, onPeerExpired: (event) => expired.push(event) });
    b.onSession((session) => session.onMessage(() => {}));
    const at = await b.listen(LOOPBACK);
    const a = open({ ...ports, certificateValidityMs: 3_600_000 });
    const session = await a.connect(at, b.self);
    const step = async (ms: number) => {
      for (let gone = 0; gone < ms; gone += 60_000) {
        time.advance(60_000);
        await settle(10);
      }
    };
    await step(3_600_000 + CLOCK_SKEW_MS - 60_000);
    expect([session.open, expired.length]).toEqual([true, 0]);
    await step(180_000);
    const { kind, reason } = await session.closed;
    expect(kind).toBe("remote");
    expect(reason).toContain("certificate of the peer expired at");
    expect(expired.map(({ peer }) => peer)).toEqual([a.self]);
    const again = await a.connect(at, b.self);
    expect(again.open).toBe(true);
  });

  it("R1: two processes exchange messages without a gap while certificates of three seconds rotate", async () => {
    const child = fork(new URL("./programs/rotating-node.ts", import.meta.url), {
      execArgv: ["--conditions=@glia-os/source"],
    });
    opened.push({
      close: async () => {
        if (child.exitCode === null && child.signalCode === null) {
          child.kill("SIGKILL");
          await once(child, "exit");
        }
      },
    });
    const [{ at, self }] = (await once(child, "message")) as [{ at: HostPort; self: string }];
    let rotations = 0;
    child.on("message", () => rotations++);
    const a = open({ certificateValidityMs: 3000 });
    const session = await a.connect(at);
    const notAfterMs = session.peerCertificateNotAfterMs;
    const got: number[] = [];
    session.onMessage((_, message) => void got.push(new DataView(message.buffer).getUint32(0)));
    let sent = 0;
    while (rotations < 2) {
      const message = new Uint8Array(2000);
      new DataView(message.buffer).setUint32(0, sent++);
      await session.send("request", message);
      await until(() => got.length === sent);
    }
    expect(got).toEqual(Array.from({ length: sent }, (_, i) => i));
    expect(session.open).toBe(true);
    const fresh = await open().connect(at);
    expect([fresh.peer, session.peer]).toEqual([self, self]);
    expect(fresh.peerCertificateNotAfterMs).toBeGreaterThan(notAfterMs);
    child.send("stop");
    await once(child, "exit");
    expect((await session.closed).kind).toBe("remote");
  });
});

describe.skipIf(!hasOpenssl)("what openssl makes of a node (needs openssl)", () => {
  const opened: WireTransport[] = [];
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "glia-openssl-"));
    return () => rmSync(folder, { recursive: true });
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((transport) => transport.close()));
  });

  async function listening(options: Partial<WireTransportOptions> = {}): Promise<[WireTransport, HostPort]> {
    const transport = makeTransport(options);
    opened.push(transport);
    transport.onSession(() => {});
    return [transport, await transport.listen(LOOPBACK)];
  }

  const sClient = ({ port }: HostPort, ...more: string[]) =>
    openssl(["s_client", "-connect", `127.0.0.1:${port}`, "-alpn", "glia/1", ...more]);

  async function shownBy(at: HostPort): Promise<string> {
    const { out } = await sClient(at);
    return /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(out)?.[0] ?? "";
  }

  const lasts = async (pem: string) =>
    (await openssl(["x509", "-noout", "-checkend", String(THIRTY_DAYS_S)], pem)).code === 0;

  it("openssl s_client completes TLS 1.3 with our certificate format, our protocol name and a client certificate", async () => {
    const [node, at] = await listening();
    const own = issueNodeCertificate(
      createNodeIdentity(),
      { notBeforeMs: Date.now(), validityMs: DAY_MS },
      realRandom,
    );
    const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    writeFileSync(cert, own.cert);
    writeFileSync(key, own.key, { mode: 0o600 });
    const { out } = await sClient(at, "-cert", cert, "-key", key);
    expect(out).toContain("ALPN protocol: glia/1");
    expect(out).toContain("TLSv1.3");
    expect(out).toContain(node.self);
  });

  it("openssl s_client gets nowhere with TLS 1.2", async () => {
    const [, at] = await listening();
    const { out } = await sClient(at, "-tls1_2");
    expect(out).toMatch(/alert|no protocols available|handshake failure/i);
    expect(out).not.toContain("BEGIN CERTIFICATE");
  });

  it("openssl x509 reads the certificate: names, 90 days, our extension, signed by its own key", async () => {
    const [node, at] = await listening();
    const pem = await shownBy(at);
    const { code, out } = await openssl(["x509", "-noout", "-text"], pem);
    expect(code).toBe(0);
    expect(out).toContain(`CN = ${node.self}`);
    expect(out).toContain("2.25.221063439686607519105143333225690446603");
    expect(out).toContain("NIST CURVE: P-256");
    const path = join(folder, "shown.pem");
    writeFileSync(path, pem);
    expect((await openssl(["verify", "-CAfile", path, "-check_ss_sig", path])).out).toContain(": OK");
  });

  it("R2: openssl x509 -checkend 2592000 and the rotation agree on when 30 days are left", async () => {
    // The node's clock is 60 days behind, give or take ten minutes, so that openssl sees the end of the certificate's life.
    const late = new ManualTime(Date.now() - 60 * DAY_MS - 600_000);
    const soon = new ManualTime(Date.now() - 60 * DAY_MS + 600_000);
    const [, lateAt] = await listening({ clock: late, timers: late });
    const [node, soonAt] = await listening({ clock: soon, timers: soon });
    expect(await lasts(await shownBy(lateAt))).toBe(false);
    expect(await lasts(await shownBy(soonAt))).toBe(true);
    const before = node.certificateNotAfterMs;
    soon.advance(60 * DAY_MS - 60_000);
    expect(node.certificateNotAfterMs).toBe(before);
    soon.advance(120_000);
    expect(node.certificateNotAfterMs).toBeGreaterThan(before);
    late.advance(60 * DAY_MS + 60_000);
    expect(await lasts(await shownBy(lateAt))).toBe(true);
  });
});
