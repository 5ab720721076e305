/**
 * A UDP relay on loopback that loses, doubles, reorders and damages packets, by a seeded random source.
 *
 * QY1. Both directions go through it; it serves any number of diallers, each through a socket of its own.
 * QY2. A packet that is overtaken waits for the next one, but never longer than HOLD_MS: held until somebody sends again, the last packet
 *      of a flight would wait for the sender's own timer, which that very wait makes longer each time.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/** The longest that a packet waits to be overtaken. */
const HOLD_MS = 5;

/** How often each thing happens to a packet, 0 to 1. */
export interface Faults {
  readonly drop?: number;
  readonly duplicate?: number;
  readonly reorder?: number;
  readonly mutate?: number;
}

/** A relay that runs. */
export interface Relay {
  readonly address: { readonly host: string; readonly port: number };
  /** Changes what happens from now on. */
  setFaults(faults: Faults): void;
  readonly counts: Record<"passed" | "dropped" | "duplicated" | "reordered" | "mutated", number>;
  close(): void;
}

/** A generator of numbers from 0 to 1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Relays between diallers and `target`. */
export async function startRelay(
  target: { readonly port: number },
  initial: Faults,
  seed: number,
): Promise<Relay> {
  const random = seeded(seed);
  const front = createSocket("udp4").bind(0, "127.0.0.1");
  await once(front, "listening");
  const counts = { passed: 0, dropped: 0, duplicated: 0, reordered: 0, mutated: 0 };
  const backs = new Map<number, Socket>();
  let faults = initial;
  let held: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;

  const release = (): void => {
    clearTimeout(timer);
    held?.();
    held = undefined;
  };

  const pass = (packet: Buffer, send: (packet: Buffer) => void): void => {
    if (random() < (faults.drop ?? 0)) {
      counts.dropped += 1;
      return;
    }
    if (random() < (faults.mutate ?? 0)) {
      counts.mutated += 1;
      const at = Math.floor(random() * packet.length);
      packet[at] = (packet[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    }
    if (held === undefined && random() < (faults.reorder ?? 0)) {
      counts.reordered += 1;
      held = () => send(packet);
      timer = setTimeout(release, HOLD_MS);
      return;
    }
    counts.passed += 1;
    send(packet);
    release();
    if (random() < (faults.duplicate ?? 0)) {
      counts.duplicated += 1;
      send(packet);
    }
  };

  front.on("message", (packet, { port }) => {
    let back = backs.get(port);
    if (back === undefined) {
      back = createSocket("udp4");
      back.on("message", (reply) => pass(reply, (out) => front.send(out, port, "127.0.0.1", () => {})));
      backs.set(port, back);
    }
    const socket = back;
    pass(packet, (out) => socket.send(out, target.port, "127.0.0.1", () => {}));
  });

  return {
    address: { host: "127.0.0.1", port: front.address().port },
    setFaults: (next) => {
      faults = next;
    },
    counts,
    close: () => {
      clearTimeout(timer);
      front.close();
      for (const back of backs.values()) back.close();
    },
  };
}
