/** Bad values are refused with a typed error that names them, before a socket is opened. */
import { describe, expect, test } from "vitest";
import { createQuicEndpoint, type QuicEndpointOptions } from "../src/index.ts";
import { noAddon } from "./addon.ts";
import { endpoint, failure } from "./peers.ts";

const fine: QuicEndpointOptions = {
  certificate: Uint8Array.of(1),
  key: Uint8Array.of(1),
  alpn: ["x"],
  approvePeer: () => true,
};

const bad: [string, object][] = [
  ["host", { host: "localhost" }],
  ["host", { host: "fe80::1%eth0" }],
  ["host", { host: 4 }],
  ["port", { port: 65_536 }],
  ["port", { port: -1 }],
  ["port", { port: 1.5 }],
  ["certificate", { certificate: "text" }],
  ["certificate", { certificate: new Uint8Array() }],
  ["key", { key: new Uint8Array(16 * 1024 + 1) }],
  ["alpn", { alpn: [] }],
  ["alpn", { alpn: [""] }],
  ["alpn", { alpn: ["x".repeat(256)] }],
  ["alpn", { alpn: Array.from({ length: 17 }, (_, index) => `${index}`) }],
  ["alpn", { alpn: "x" }],
  ["approvePeer", { approvePeer: true }],
  ["onConnection", { onConnection: 1 }],
  ["groups", { groups: "" }],
  ["groups", { groups: "X25519;drop" }],
  ["retry", { retry: "yes" }],
  ["idleMs", { idleMs: 99 }],
  ["idleMs", { idleMs: Number.POSITIVE_INFINITY }],
  ["maxPending", { maxPending: 0 }],
  ["maxConnections", { maxConnections: 65_537 }],
];

describe("options", () => {
  test.each(bad)("a wrong %s is refused: %j", (name, options) => {
    expect(() => createQuicEndpoint({ ...fine, ...options } as never)).toThrow(
      expect.objectContaining({ code: "quic.bad-option", details: expect.objectContaining({ name }) }),
    );
  });
});

describe.skipIf(noAddon !== undefined)(
  `endpoints, needs a compiler and Node's headers${noAddon ?? ""}`,
  () => {
    test("an identity that is rubbish is refused", () => {
      expect(() => createQuicEndpoint(fine)).toThrow(expect.objectContaining({ code: "quic.bad-identity" }));
    });

    test("groups that OpenSSL does not know are refused", () => {
      expect(() => endpoint({ groups: "NOTHING" })).toThrow(
        expect.objectContaining({ code: "quic.bad-option" }),
      );
    });

    test("a port that is taken and an address that is not ours are refused", () => {
      const first = endpoint();
      expect(() => endpoint({ port: first.address.port })).toThrow(/EADDRINUSE/);
      expect(() => endpoint({ host: "192.0.2.1" })).toThrow(
        expect.objectContaining({ code: "quic.bind-failed" }),
      );
    });

    test("dials to what is no address are refused", async () => {
      const client = endpoint();
      expect(await failure(client.connect({ host: "example.org", port: 1 }))).toMatchObject({
        code: "quic.bad-option",
      });
      expect(await failure(client.connect({ host: "127.0.0.1", port: 0 }))).toMatchObject({
        code: "quic.bad-option",
      });
      expect(await failure(client.connect({ host: "127.0.0.1", port: 1, timeoutMs: 0 }))).toMatchObject({
        code: "quic.bad-option",
      });
    });
  },
);
