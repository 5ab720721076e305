/** What the transport of simulated machines does beside the contract of the port, which `mesh-wire` runs against it. */
import { hasErrorCode } from "@glia-os/abi/errors";
import type { Session } from "@glia-os/abi/ports";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CONNECT_MS,
  HALF_OPEN_MAX,
  type Machine,
  type MachineFault,
  MachineSockets,
  type NetworkModel,
  SIMULATED_DIGESTS,
  type SimulatedTransport,
  simulateAsync,
  simulatedSigner,
} from "../../src/index.ts";
import { type Packet, readPacket, writePacket } from "../../src/transport/packet.ts";

const turn = (): Promise<void> => new Promise((done) => setImmediate(done));
const at = (machine: number) => ({ host: `machine-${machine}`, port: 7400 });

/** Runs `program` on every boot of every machine, with a transport that listens. */
async function machines(
  nodes: number,
  program: (transport: SimulatedTransport, machine: Machine<Uint8Array>, sockets: MachineSockets) => void,
  more: { faults?: readonly MachineFault[]; network?: Partial<NetworkModel>; durationMs?: number } = {},
): Promise<string> {
  const boot = (machine: Machine<Uint8Array>): MachineSockets => {
    const sockets = new MachineSockets(machine);
    const signer = simulatedSigner(`node ${machine.index}`);
    const transport = sockets.transport({ signer, digests: SIMULATED_DIGESTS });
    transport.listen(at(machine.index)).then(() => program(transport, machine, sockets));
    return sockets;
  };
  const { traceHash, violation } = await simulateAsync(
    { seed: 5, nodes, boot, durationMs: 60_000, ...more },
    turn,
  );
  expect(violation).toBe(undefined);
  return traceHash;
}

describe("packets", () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const u32 = fc.nat({ max: 0xffff_ffff });
  const id = bytes(8).map((raw) => Buffer.from(raw).toString("hex"));
  const stream = fc.constantFrom("request" as const, "bulk" as const);
  const packet: fc.Arbitrary<Packet> = fc.oneof(
    fc.record({
      kind: fc.constant("dial" as const),
      id,
      to: u32,
      port: u32,
      instance: u32,
      key: bytes(32),
      nonce: bytes(16),
    }),
    fc.record({
      kind: fc.constant("accept" as const),
      id,
      instance: u32,
      key: bytes(32),
      nonce: bytes(16),
      proof: bytes(64),
    }),
    fc.record({ kind: fc.constant("confirm" as const), id, proof: bytes(64) }),
    fc.record({ kind: fc.constant("refuse" as const), id, yielded: fc.boolean() }),
    fc.record({ kind: fc.constant("data" as const), id, stream, left: u32, bytes: fc.uint8Array() }),
    fc.record({ kind: fc.constant("credit" as const), id, stream, more: u32 }),
    fc.record({ kind: fc.constant("close" as const), id, stream, reason: fc.string({ unit: "binary" }) }),
    fc.record({ kind: fc.constantFrom("fail" as const, "ping" as const, "pong" as const), id }),
    fc.record({
      kind: fc.constant("datagram" as const),
      id,
      counter: u32,
      tag: bytes(8),
      bytes: fc.uint8Array(),
    }),
  );

  it("PK1: every packet is read as it was written", () => {
    fc.assert(
      fc.property(packet, (one) => {
        expect(readPacket(writePacket(one))).toEqual(one);
      }),
    );
  });

  it("PK1: bytes that are no packet, or a packet cut short, are dropped and nothing is thrown", () => {
    fc.assert(fc.property(fc.uint8Array(), (raw) => void readPacket(raw)));
    for (const cut of [0, 8, 20, 60])
      expect(
        readPacket(
          writePacket({ kind: "confirm", id: "00".repeat(8), proof: new Uint8Array(64) }).subarray(0, cut),
        ),
      ).toBe(undefined);
  });
});

describe("transports of simulated machines", () => {
  it("a machine that is down is no answer within the time of a dial; one that nobody listens at is refused at once", async () => {
    const codes: unknown[] = [];
    await machines(
      2,
      (transport, { index, clock }) => {
        if (index === 1) return;
        const dial = async (address: { host: string; port: number }): Promise<void> => {
          const startedMs = clock.monotonicMs();
          await transport
            .connect(address)
            .catch(({ code }) => codes.push(code, clock.monotonicMs() - startedMs >= CONNECT_MS));
        };
        void dial({ ...at(1), port: 9 });
        setImmediate(() => void dial(at(1)));
        void dial({ host: "machine-7", port: 1 });
      },
      { faults: [{ kind: "crash", atMs: 0.1, machine: 1 }], network: { delayMs: 1, jitterMs: 0 } },
    );
    expect(codes.slice(0, 2)).toEqual(["wire.connect-failed", false]);
    expect(codes.slice(2)).toEqual(["wire.connect-timeout", true, "wire.connect-timeout", true]);
  });

  it("an address of another machine cannot be listened at", async () => {
    const refused: unknown[] = [];
    await machines(2, (_, { index }, sockets) => {
      const other = sockets.transport({ signer: simulatedSigner("other"), digests: SIMULATED_DIGESTS });
      other
        .listen(at(1 - index))
        .catch((error: unknown) => refused.push(hasErrorCode(error, "wire.address-unavailable")));
    });
    expect(refused).toEqual([true, true]);
  });

  it("SE2: datagrams that the network doubles and changes arrive unchanged and once, and streams in order", async () => {
    const got: number[] = [];
    const streamed: number[] = [];
    await machines(
      2,
      (transport, { index, timers }) => {
        transport.onSession((session) =>
          session.onMessage((trafficClass, message) => {
            expect(message.subarray(1).every((byte) => byte === 7)).toBe(true);
            (trafficClass === "datagram" ? got : streamed).push(message[0] as number);
          }),
        );
        if (index === 1) return;
        const send = (session: Session, n: number): void => {
          if (n === 200) return;
          const message = new Uint8Array(40).fill(7);
          message[0] = n;
          void session.send("datagram", message);
          void session.send("request", message);
          timers.schedule(10, () => send(session, n + 1));
        };
        void transport.connect(at(1)).then((session) => send(session, 0));
      },
      { network: { duplication: 0.3, corruption: 0.3, loss: 0.05, jitterMs: 15 } },
    );
    expect(streamed).toEqual(Array.from({ length: 200 }, (_, n) => n));
    expect(new Set(got).size).toBe(got.length);
    expect(got.length).toBeGreaterThan(80);
    expect(got.length).toBeLessThan(200);
  });

  it("ST3, MS1: a session with a machine that was started again ends at the next word, and a new one takes its place", async () => {
    const ends: string[] = [];
    const sessions: Session[] = [];
    await machines(
      2,
      (transport, { index, timers }) => {
        if (index === 1) return;
        const again = async (): Promise<void> => {
          timers.schedule(3000, () => void again());
          const session = await transport.connect(at(1)).catch(() => undefined);
          if (session === undefined || sessions.includes(session)) return;
          sessions.push(session);
          void session.closed.then(({ kind }) => ends.push(kind));
          const speak = (): void => {
            session.send("request", Uint8Array.of(1)).catch(() => undefined);
            timers.schedule(1000, speak);
          };
          speak();
        };
        void again();
      },
      {
        faults: [
          { kind: "crash", atMs: 10_000, machine: 1 },
          { kind: "restart", atMs: 12_000, machine: 1 },
        ],
      },
    );
    expect(ends).toEqual(["failed"]);
    expect(sessions).toHaveLength(2);
  });

  it("ST1, ST4: who proves no key gets no session, and only so many may try at once", async () => {
    let sessions = 0;
    const answers = new Map<string, number>();
    await machines(2, (transport, machine, sockets) => {
      transport.onSession(() => sessions++);
      if (machine.index === 1) return;
      const { receive } = sockets;
      Object.assign(sockets, {
        receive: (from: number, trafficClass: "request", message: Uint8Array) => {
          const packet = readPacket(message);
          if (packet !== undefined) answers.set(packet.kind, (answers.get(packet.kind) ?? 0) + 1);
          if (packet?.kind === "accept")
            machine.send(
              from,
              "request",
              writePacket({ kind: "confirm", id: packet.id, proof: new Uint8Array(64) }),
            );
          else receive(from, trafficClass, message);
        },
      });
      const victim = simulatedSigner("node 0").publicKey;
      for (let n = 0; n < HALF_OPEN_MAX + 10; n++) {
        const id = n.toString(16).padStart(16, "0");
        const [to, port, instance, nonce] = [7400, 0, 1, new Uint8Array(16)];
        machine.send(1, "request", writePacket({ kind: "dial", id, to, port, instance, key: victim, nonce }));
      }
    });
    expect(sessions).toBe(0);
    expect([answers.get("accept"), answers.get("refuse")]).toEqual([HALF_OPEN_MAX, 10]);
  });

  it("ST4: one session more than a transport may have is refused on both sides, and options out of range are", async () => {
    const codes: unknown[] = [];
    await machines(4, (_, { index }, sockets) => {
      const signer = simulatedSigner(`few ${index}`);
      const make = (sessionsMax: number) =>
        sockets.transport({ signer, digests: SIMULATED_DIGESTS, sessionsMax });
      expect(() => make(0)).toThrow(/sessionsMax/);
      const few = make(1);
      void few.listen({ host: sockets.host, port: 1 });
      if (index === 0) return;
      const dial = async (): Promise<void> => {
        // The second and third dial a machine that has a session, or have one.
        await few.connect({ host: "machine-0", port: 1 }).catch(({ code }) => codes.push(code));
        if (index === 1)
          await few.connect({ host: "machine-2", port: 1 }).catch(({ code }) => codes.push(code));
      };
      void dial();
    });
    expect(codes.sort()).toEqual(["wire.connect-failed", "wire.connect-failed", "wire.session-limit"]);
  });
});
