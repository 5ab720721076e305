/**
 * What every `Transport` must do (packages/abi/src/ports/transport.ts, T1-T5). An implementation passes a function that makes
 * a connected pair of endpoints, both listening, neither with a session yet.
 */
import { createHash } from "node:crypto";
import { hasErrorCode } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import {
  type HostPort,
  MESSAGE_LIMIT_BYTES,
  type Session,
  type TrafficClass,
  type Transport,
} from "@glia-os/abi/ports";
import { afterEach, describe, expect, it } from "vitest";
import { settle, until } from "../ports.ts";

/** Two endpoints that listen. */
export interface TransportPair {
  readonly a: Transport;
  readonly b: Transport;
  readonly aAddress: HostPort;
  readonly bAddress: HostPort;
  /** A third endpoint that does not listen. */
  readonly spare: Transport;
  /** An address nobody listens at. */
  readonly deadAddress: HostPort;
  /** Waits until both sessions are as this suite is to see them, such as with every carrier in use. */
  readonly ready?: (fromA: Session, fromB: Session) => Promise<void>;
}

/** Two endpoints with a network between them that a test can break. Their keepalive is short. */
export interface ImpairedPair extends TransportPair {
  /** Where A reaches B through that network. */
  readonly through: HostPort;
  /** Reset every connection. */
  reset(): void;
  /** Pass nothing on from now on, and say nothing about it. */
  swallow(): void;
  /** Take the network away. */
  remove(): Promise<void>;
}

const MIB = 1024 * 1024;
/** Datagrams under way at once that every system holds. */
const DATAGRAM_BURST = 50;
const CLASSES = ["datagram", "request", "bulk"] as const;

function numbered(index: number, size = 8): Uint8Array {
  const message = new Uint8Array(size);
  new DataView(message.buffer).setUint32(0, index);
  return message;
}

function numberOf(message: Uint8Array): number {
  return new DataView(message.buffer, message.byteOffset).getUint32(0);
}

function patterned(size: number, seed: number): Uint8Array {
  const message = new Uint8Array(size);
  for (let i = 0; i < size; i += 997) message[i] = (i * seed) & 255;
  return message;
}

function digest(message: Uint8Array): string {
  return createHash("sha256").update(message).digest("hex");
}

/** A session of each side, and what each side received. */
interface Connected {
  readonly fromA: Session;
  readonly fromB: Session;
  readonly atB: { trafficClass: TrafficClass; message: Uint8Array }[];
}

/** Run the suite; with `makeImpaired`, also what needs a network that breaks. */
export function run(
  name: string,
  makePair: () => Promise<TransportPair>,
  makeImpaired?: () => Promise<ImpairedPair>,
): void {
  describe(`Transport contract: ${name}`, () => {
    const opened: TransportPair[] = [];
    afterEach(async () => {
      for (const pair of opened.splice(0))
        await Promise.all([pair.a.close(), pair.b.close(), pair.spare.close()]);
    });

    async function pairUp(): Promise<TransportPair> {
      const pair = await makePair();
      opened.push(pair);
      return pair;
    }

    async function connected(
      receiveAtB?: (trafficClass: TrafficClass, message: Uint8Array) => void | Promise<void>,
    ): Promise<Connected & TransportPair> {
      const pair = await pairUp();
      const accepted = Promise.withResolvers<Session>();
      const atB: Connected["atB"] = [];
      pair.b.onSession((session) => {
        session.onMessage((trafficClass, message) => {
          atB.push({ trafficClass, message });
          return receiveAtB?.(trafficClass, message);
        });
        accepted.resolve(session);
      });
      const fromA = await pair.a.connect(pair.bAddress, pair.b.self);
      const fromB = await accepted.promise;
      await pair.ready?.(fromA, fromB);
      return { ...pair, fromA, fromB, atB };
    }

    identity(connected, pairUp);
    delivery(connected);
    limits(connected);
    backPressure(connected);
    reuse(connected, pairUp);
    closing(connected, pairUp);
    if (makeImpaired !== undefined) {
      const impaired = async () => {
        const pair = await makeImpaired();
        opened.push(pair);
        return pair;
      };
      breaking(impaired);
    }
  });
}

type Connect = (
  receiveAtB?: (trafficClass: TrafficClass, message: Uint8Array) => void | Promise<void>,
) => Promise<Connected & TransportPair>;
type PairUp = () => Promise<TransportPair>;

function identity(connected: Connect, pairUp: PairUp): void {
  it("T1: both sides see the identity the other proved", async () => {
    const { fromA, fromB, a, b } = await connected();
    expect(fromA.peer).toBe(b.self);
    expect(fromB.peer).toBe(a.self);
    expect(fromA.initiator).toBe(true);
    expect(fromB.initiator).toBe(false);
    expect(createHash("sha256").update(fromA.peerKey).digest("hex")).toBe(b.self);
  });

  it("T1: a dial that expects another identity is refused with wire.peer-identity", async () => {
    const { a, bAddress } = await pairUp();
    const other = "ab".repeat(32) as NodeId;
    await expect(a.connect(bAddress, other)).rejects.toSatisfy((e) => hasErrorCode(e, "wire.peer-identity"));
  });

  it("both sides derive the same keying material, and other material for another label", async () => {
    const { fromA, fromB } = await connected();
    const label = "EXPORTER-glia-test";
    expect(fromA.exportKeyingMaterial(label, 32)).toEqual(fromB.exportKeyingMaterial(label, 32));
    expect(fromA.exportKeyingMaterial(label, 32)).not.toEqual(fromA.exportKeyingMaterial(`${label}-2`, 32));
  });

  it("a connect to an address nobody listens at fails with wire.connect-failed naming the address", async () => {
    const { a, deadAddress } = await pairUp();
    const error = await a.connect(deadAddress).catch((e: unknown) => e);
    expect(hasErrorCode(error, "wire.connect-failed")).toBe(true);
    expect((error as Error).message).toContain(String(deadAddress.port));
  });

  it("listening at an address in use fails with wire.address-in-use naming the address", async () => {
    const { bAddress, spare } = await pairUp();
    const error = await spare.listen(bAddress).catch((e: unknown) => e);
    expect(hasErrorCode(error, "wire.address-in-use")).toBe(true);
    expect((error as Error).message).toContain(String(bAddress.port));
  });

  it("a second listen is refused with wire.already-listening", async () => {
    const { a } = await pairUp();
    await expect(a.listen({ host: "127.0.0.1", port: 0 })).rejects.toSatisfy((e) =>
      hasErrorCode(e, "wire.already-listening"),
    );
  });
}

function delivery(connected: Connect): void {
  it.each(["request", "bulk"] as const)(
    "T2: %s messages arrive whole, once and in order",
    async (trafficClass) => {
      const { fromA, atB } = await connected();
      const count = 5000;
      for (let i = 0; i < count; i++) await fromA.send(trafficClass, numbered(i, 8 + (i % 90)));
      await until(() => atB.length === count);
      expect(atB.map(({ message }) => numberOf(message))).toEqual(Array.from({ length: count }, (_, i) => i));
      expect(atB.every(({ message }, i) => message.length === 8 + (i % 90))).toBe(true);
    },
  );

  it("T2: datagrams that are not more at a time than every system holds arrive whole and once", async () => {
    const { fromA, atB } = await connected();
    const count = 400;
    for (let i = 0; i < count; i++) {
      await fromA.send("datagram", numbered(i, 8 + (i % 90)));
      await until(() => atB.length > i - DATAGRAM_BURST);
    }
    await until(() => atB.length === count);
    const numbers = atB.map(({ message }) => numberOf(message));
    expect([...numbers].sort((x, y) => x - y)).toEqual(Array.from({ length: count }, (_, i) => i));
    expect(atB.every(({ message }, i) => message.length === 8 + (numbers[i]! % 90))).toBe(true);
  });

  it("T2: many concurrent sends in both directions and two classes all arrive in order", async () => {
    const { fromA, fromB, atB } = await connected();
    const atA: number[] = [];
    fromA.onMessage((_, message) => void atA.push(numberOf(message)));
    const count = 2000;
    const sends = Array.from({ length: count }, (_, i) => [
      fromA.send("request", numbered(i, 100)),
      fromA.send("bulk", numbered(i, 3000)),
      fromB.send("request", numbered(i, 50)),
    ]);
    await Promise.all(sends.flat());
    await until(() => atB.length === 2 * count && atA.length === count);
    for (const trafficClass of ["request", "bulk"] as const) {
      const got = atB
        .filter((entry) => entry.trafficClass === trafficClass)
        .map(({ message }) => numberOf(message));
      expect(got).toEqual(Array.from({ length: count }, (_, i) => i));
    }
    expect(atA).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  it.each(CLASSES)("an empty %s message is a message", async (trafficClass) => {
    const { fromA, atB } = await connected();
    await fromA.send(trafficClass, new Uint8Array(0));
    await until(() => atB.length === 1);
    expect(atB[0]).toEqual({ trafficClass, message: new Uint8Array(0) });
  });

  it("the accepting side can send bulk first", async () => {
    const { fromA, fromB } = await connected();
    const got = Promise.withResolvers<Uint8Array>();
    fromA.onMessage((_, message) => got.resolve(message));
    const message = patterned(300_000, 7);
    await fromB.send("bulk", message);
    expect(digest(await got.promise)).toBe(digest(message));
  });

  it("messages that arrive before there is a receiver are kept", async () => {
    const { fromA, fromB } = await connected();
    for (const trafficClass of CLASSES) await fromB.send(trafficClass, numbered(5));
    await settle();
    const got: TrafficClass[] = [];
    fromA.onMessage((trafficClass) => void got.push(trafficClass));
    await until(() => got.length === 3);
    expect(new Set(got)).toEqual(new Set(CLASSES));
  });

  it("T3: datagrams sent after a 16 MiB bulk message started arrive before it is complete", async () => {
    const { fromA, atB } = await connected();
    await fromA.send("bulk", numbered(0));
    await until(() => atB.length === 1);
    await fromA.send("bulk", patterned(MESSAGE_LIMIT_BYTES.bulk, 3));
    for (let i = 0; i < 20; i++) await fromA.send("datagram", numbered(i));
    await until(() => atB.length === 22);
    expect(atB.slice(1).map(({ trafficClass }) => trafficClass)).toEqual([
      ...Array(20).fill("datagram"),
      "bulk",
    ]);
  });

  it("T3: datagrams sent after a 16 MiB request started arrive before it is complete", async () => {
    const { fromA, atB } = await connected();
    await fromA.send("request", patterned(MESSAGE_LIMIT_BYTES.request, 3));
    for (let i = 0; i < 20; i++) await fromA.send("datagram", numbered(i));
    await until(() => atB.length === 21);
    expect(atB.map(({ trafficClass }) => trafficClass)).toEqual([...Array(20).fill("datagram"), "request"]);
  });
}

function limits(connected: Connect): void {
  it.each(["request", "bulk"] as const)("a %s message of 16 MiB arrives intact", async (trafficClass) => {
    const { fromA, atB } = await connected();
    const message = patterned(MESSAGE_LIMIT_BYTES[trafficClass], 11);
    await fromA.send(trafficClass, message);
    await until(() => atB.length === 1);
    expect(digest(atB[0]!.message)).toBe(digest(message));
  });

  it.each(CLASSES)(
    "T5: a %s message one byte over the limit is refused and the session goes on",
    async (trafficClass) => {
      const { fromA, atB } = await connected();
      const tooLarge = new Uint8Array(MESSAGE_LIMIT_BYTES[trafficClass] + 1);
      await expect(fromA.send(trafficClass, tooLarge)).rejects.toSatisfy((e) =>
        hasErrorCode(e, "wire.message-too-large"),
      );
      await fromA.send(trafficClass, numbered(1));
      await until(() => atB.length === 1);
      expect(atB[0]!.message).toEqual(numbered(1));
    },
  );
}

function backPressure(connected: Connect): void {
  it.each(["request", "bulk"] as const)(
    "T4: sends of %s stop being accepted while the receiver's promise is pending, and all arrive after it",
    async (trafficClass) => {
      const gate = Promise.withResolvers<void>();
      const { fromA, atB } = await connected(() => gate.promise);
      const total = 100;
      let accepted = 0;
      const sends = Array.from({ length: total }, (_, i) =>
        fromA.send(trafficClass, numbered(i, MIB)).then(() => {
          accepted++;
        }),
      );
      await until(() => atB.length === 1);
      await settle(2000);
      const acceptedWhileHeld = accepted;
      expect(atB.length).toBe(1);
      expect(acceptedWhileHeld).toBeLessThan(60);
      gate.resolve();
      await Promise.all(sends);
      await until(() => atB.length === total);
      expect(atB.map(({ message }) => numberOf(message))).toEqual(Array.from({ length: total }, (_, i) => i));
    },
  );

  it("T3: a held request receiver stops neither datagrams nor bulk", async () => {
    const gate = Promise.withResolvers<void>();
    const { fromA, atB } = await connected((trafficClass) =>
      trafficClass === "request" ? gate.promise : undefined,
    );
    for (let i = 0; i < 30; i++) void fromA.send("request", numbered(i, MIB));
    await until(() => atB.length === 1);
    await settle();
    await fromA.send("datagram", numbered(1));
    await fromA.send("bulk", numbered(2));
    await until(() => atB.length === 3);
    expect(
      atB
        .slice(1)
        .map(({ trafficClass }) => trafficClass)
        .sort(),
    ).toEqual(["bulk", "datagram"]);
    gate.resolve();
    await until(() => atB.length === 32);
  });

  it("T3: a held bulk receiver stops neither datagrams nor requests", async () => {
    const gate = Promise.withResolvers<void>();
    const { fromA, atB } = await connected((trafficClass) =>
      trafficClass === "bulk" ? gate.promise : undefined,
    );
    for (let i = 0; i < 30; i++) void fromA.send("bulk", numbered(i, MIB));
    await until(() => atB.length === 1);
    await settle();
    await fromA.send("datagram", numbered(1));
    await fromA.send("request", numbered(2));
    await until(() => atB.length === 3);
    gate.resolve();
    await until(() => atB.length === 32);
  });

  it("datagrams over the bound are dropped, the oldest first, and new ones arrive, each once", async () => {
    const { fromA, atB } = await connected();
    const count = 1000;
    for (let i = 0; i < count; i++) void fromA.send("datagram", numbered(i, 1200));
    await until(() => atB.some(({ message }) => numberOf(message) >= count - DATAGRAM_BURST));
    await settle();
    const got = atB.map(({ message }) => numberOf(message));
    expect(got.length).toBeLessThan(count);
    expect(new Set(got).size).toBe(got.length);
    const newest = got.filter((number) => number >= count - DATAGRAM_BURST).length;
    const middle = got.filter((number) => number >= count / 2 && number < count / 2 + DATAGRAM_BURST).length;
    expect(newest).toBeGreaterThan(middle);
  });
}

function reuse(connected: Connect, pairUp: PairUp): void {
  it("an address is free again for another endpoint once the one before has closed, with sessions that were open", async () => {
    const { a, b, spare, bAddress, fromA } = await connected();
    await b.close();
    expect((await fromA.closed).kind).toBe("remote");
    spare.onSession(() => {});
    expect(await spare.listen(bAddress)).toEqual(bAddress);
    expect((await a.connect(bAddress)).peer).toBe(spare.self);
  });

  it("a second connect to the same peer returns the same session", async () => {
    const { a, b, bAddress, fromA } = await connected();
    expect(await a.connect(bAddress)).toBe(fromA);
    expect(await a.connect(bAddress, b.self)).toBe(fromA);
  });

  it("a connect back to a peer that dialled returns its session", async () => {
    const { a, b, aAddress, fromB } = await connected();
    expect(await b.connect(aAddress, a.self)).toBe(fromB);
    expect(await b.connect(aAddress)).toBe(fromB);
  });

  it("concurrent connects to one peer end in one session", async () => {
    const { a, b, bAddress } = await pairUp();
    let accepted = 0;
    b.onSession(() => accepted++);
    const sessions = await Promise.all([
      a.connect(bAddress),
      a.connect(bAddress),
      a.connect(bAddress, b.self),
      a.connect(bAddress, b.self),
    ]);
    expect(new Set(sessions).size).toBe(1);
    expect(accepted).toBe(1);
  });

  it.each(Array.from({ length: 10 }, (_, i) => i))(
    "nodes that dial each other at the same time converge to one session and lose no message (round %i)",
    async (round) => {
      const { a, b, aAddress, bAddress } = await pairUp();
      const atA: number[] = [];
      const atB: number[] = [];
      a.onSession((session) => session.onMessage((_, message) => void atA.push(numberOf(message))));
      b.onSession((session) => session.onMessage((_, message) => void atB.push(numberOf(message))));
      const dial = async (from: Transport, to: HostPort, got: number[]) => {
        const session = await from.connect(to);
        session.onMessage((_, message) => void got.push(numberOf(message)));
        for (let i = 0; i < 50; i++) await session.send("request", numbered(i));
        return session;
      };
      const late = async () => {
        await settle(round * 3);
        return dial(b, aAddress, atB);
      };
      const [fromA, fromB] = await Promise.all([dial(a, bAddress, atA), late()]);
      await until(() => atA.length === 50 && atB.length === 50);
      expect(await a.connect(bAddress)).toBe(fromA);
      expect(await b.connect(aAddress)).toBe(fromB);
      expect(fromA.initiator).not.toBe(fromB.initiator);
    },
  );
}

/** A session of each side through the network that breaks. */
async function through(
  pair: ImpairedPair,
  got: (message: Uint8Array) => void,
): Promise<{ fromA: Session; fromB: Session }> {
  const accepted = Promise.withResolvers<Session>();
  pair.b.onSession((session) => {
    session.onMessage((_, message) => got(message));
    accepted.resolve(session);
  });
  const fromA = await pair.a.connect(pair.through, pair.b.self);
  return { fromA, fromB: await accepted.promise };
}

function breaking(impaired: () => Promise<ImpairedPair>): void {
  it("half-open: a peer that is gone without a word is noticed by both sides, and a new connect works", async () => {
    const pair = await impaired();
    const got: number[] = [];
    const { fromA, fromB } = await through(pair, (message) => got.push(numberOf(message)));
    await fromA.send("request", numbered(1));
    await until(() => got.length === 1);
    pair.swallow();
    const ends = await Promise.all([fromA.closed, fromB.closed]);
    expect(ends.map(({ kind }) => kind)).toEqual(["failed", "failed"]);
    await expect(fromA.send("request", numbered(2))).rejects.toSatisfy((e) =>
      hasErrorCode(e, "wire.session-closed"),
    );
    const again = await pair.a.connect(pair.bAddress, pair.b.self);
    await again.send("request", numbered(3));
    await until(() => got.length === 2);
    await pair.remove();
    expect(got).toEqual([1, 3]);
  });

  it.each(["request", "bulk"] as const)(
    "a reset in the middle of a %s message ends the session on both sides and delivers no part of it",
    async (trafficClass) => {
      const pair = await impaired();
      let messages = 0;
      const { fromA, fromB } = await through(pair, () => messages++);
      await fromA.send(trafficClass, numbered(0));
      await until(() => messages === 1);
      const sends = Promise.allSettled(
        Array.from({ length: 6 }, () =>
          fromA.send(trafficClass, patterned(MESSAGE_LIMIT_BYTES[trafficClass], 5)),
        ),
      );
      await settle(3);
      pair.reset();
      expect((await fromA.closed).kind).toBe("failed");
      expect((await fromB.closed).kind).toBe("failed");
      expect((await sends).some(({ status }) => status === "rejected")).toBe(true);
      expect(messages).toBeLessThan(7);
      await pair.remove();
    },
  );
}

function closing(connected: Connect, pairUp: PairUp): void {
  it("close delivers what was accepted first, and both sides learn how it ended", async () => {
    const { fromA, fromB, atB } = await connected();
    for (let i = 0; i < 100; i++) await fromA.send("request", numbered(i, 5000));
    for (let i = 0; i < 4; i++) await fromA.send("bulk", numbered(i, MIB));
    await fromA.send("datagram", numbered(0));
    await fromA.close("enough");
    expect(await fromA.closed).toEqual({ kind: "local", reason: "enough" });
    expect(await fromB.closed).toEqual({ kind: "remote", reason: "enough" });
    expect(atB.filter(({ trafficClass }) => trafficClass !== "datagram").length).toBe(104);
  });

  it("a send on a closed session is refused with wire.session-closed on both sides", async () => {
    const { fromA, fromB } = await connected();
    await fromA.close("enough");
    await fromB.closed;
    for (const session of [fromA, fromB]) {
      await expect(session.send("request", numbered(1))).rejects.toSatisfy((e) =>
        hasErrorCode(e, "wire.session-closed"),
      );
    }
  });

  it("sends that wait for room are refused with wire.session-closed when the session closes", async () => {
    const never = Promise.withResolvers<void>();
    const { fromA } = await connected(() => never.promise);
    const sends = Array.from({ length: 20 }, (_, i) => fromA.send("request", numbered(i, MIB)));
    const outcomes = Promise.allSettled(sends);
    await fromA.close("enough");
    const refused = (await outcomes).filter((outcome) => outcome.status === "rejected");
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(({ reason }) => hasErrorCode(reason, "wire.session-closed"))).toBe(true);
  });

  it("after a close, a new connect makes a new session", async () => {
    const { a, bAddress, fromA, atB } = await connected();
    await fromA.close("enough");
    const again = await a.connect(bAddress);
    expect(again).not.toBe(fromA);
    await again.send("request", numbered(9));
    await until(() => atB.length === 1);
  });

  it("a connect right behind a close loses nothing that was accepted", async () => {
    const { a, bAddress, fromA, atB } = await connected();
    for (let i = 0; i < 50; i++) await fromA.send("request", numbered(i, 10_000));
    const closed = fromA.close("enough");
    const again = await a.connect(bAddress);
    await again.send("request", numbered(50));
    await closed;
    await until(() => atB.length === 51);
  });

  it("both sides closing at once both finish as local", async () => {
    const { fromA, fromB } = await connected();
    await Promise.all([fromA.close("one"), fromB.close("two")]);
    const kinds = [(await fromA.closed).kind, (await fromB.closed).kind];
    expect(kinds).toContain("local");
    expect(kinds).not.toContain("failed");
  });

  it("closing a transport closes its sessions; it then refuses with wire.transport-closed", async () => {
    const { a, bAddress, fromA, fromB } = await connected();
    await a.close();
    await a.close();
    expect((await fromA.closed).kind).toBe("local");
    expect((await fromB.closed).kind).toBe("remote");
    await expect(a.connect(bAddress)).rejects.toSatisfy((e) => hasErrorCode(e, "wire.transport-closed"));
  });

  it("a receiver that throws ends its session and no other", async () => {
    const { fromA, fromB, a, b, bAddress } = await connected((_, message) => {
      if (numberOf(message) === 13) throw new RangeError("thirteen");
    });
    await fromA.send("request", numbered(13));
    expect((await fromB.closed).kind).toBe("failed");
    expect((await fromA.closed).kind).toBe("failed");
    expect((await a.connect(bAddress, b.self)).peer).toBe(b.self);
  });

  it("closing a transport with a dial under way ends the dial", async () => {
    const { a, b, bAddress } = await pairUp();
    b.onSession(() => {});
    const dial = a.connect(bAddress).then(
      () => "connected",
      (error: unknown) => (hasErrorCode(error, "wire.transport-closed") ? "refused" : error),
    );
    await a.close();
    expect(["connected", "refused"]).toContain(await dial);
  });
}
