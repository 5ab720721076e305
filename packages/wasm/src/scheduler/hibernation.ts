/**
 * Guests that wait, as few bytes.
 *
 * HB1. A hibernated guest is a snapshot, or an increment to the state the first guest of its program was in when it first waited,
 *      whichever is shorter. That state is kept once per program.
 * HB2. Waking gives the image that went in, byte for byte; both forms carry a digest.
 */
import { isGliaError } from "@glia-os/abi/errors";
import type { EngineLimits, GuestHost, InstanceImage } from "@glia-os/abi/ports";
import { INCREMENT_MAGIC } from "@glia-os/abi/wire";
import type { WasmProgram } from "../engine/engine.ts";
import type { WasmInstance } from "../engine/instance.ts";
import {
  applyIncrement,
  type Checkpoint,
  checkpointOf,
  decodeSnapshot,
  encodeIncrement,
  encodeSnapshot,
} from "../snapshot/index.ts";

/** An increment of this length or less is taken without asking whether a snapshot would be shorter still. */
const SHORT_BYTES = 4096;
/** A guest with larger memory than this has no golden image: keeping and hashing it would cost more than it saves. */
const MOST_GOLDEN_BYTES = 64 * 1024 * 1024;
/** What may be set aside to wake one: a memory of 4 GiB and its other sections. */
const WAKE_LIMITS = { imageBytes: 2 ** 32 + 2 ** 24 };

/** How the guests of one program are put away. */
export class Hibernation {
  #golden: Checkpoint | undefined;
  #asked = false;

  /** Whether the state that others are compared with is still to be given. */
  get wantsGolden(): boolean {
    return !this.#asked;
  }

  /**
   * The state of the first guest of the program that waits for the first time. Without it, because it is too large or cannot be
   * taken, guests are put away whole.
   */
  offerGolden(take: () => InstanceImage): void {
    this.#asked = true;
    try {
      const image = take();
      const bytes = Object.values(image.sections).reduce((sum, section) => sum + section.length, 0);
      if (bytes <= MOST_GOLDEN_BYTES) this.#golden = checkpointOf(image);
    } catch (error) {
      if (!isGliaError(error)) throw error;
    }
  }

  /** The bytes of a guest (HB1). The image may be a view of live memory. */
  freeze(image: InstanceImage): Uint8Array {
    if (this.#golden === undefined) return snapshotBytes(image);
    const { bytes } = encodeIncrement(this.#golden, image);
    if (bytes.length <= SHORT_BYTES) return bytes;
    const whole = snapshotBytes(image);
    return whole.length < bytes.length ? whole : bytes;
  }

  /** The image again (HB2). @throws SnapshotCorruptError for bytes that were changed */
  thaw(bytes: Uint8Array): InstanceImage {
    const golden = this.#baseOf(bytes);
    if (golden === undefined) return decodeSnapshot(bytes, WAKE_LIMITS);
    return applyIncrement(golden, bytes, WAKE_LIMITS).image;
  }

  /** The guest again, of the program these are the guests of (HB2). @throws as {@link thaw}, and as restoring its image */
  wake(
    program: WasmProgram,
    bytes: Uint8Array,
    limits: Partial<EngineLimits>,
    host: GuestHost,
  ): WasmInstance {
    const golden = this.#baseOf(bytes);
    if (golden === undefined) return program.restore(decodeSnapshot(bytes, WAKE_LIMITS), limits, host);
    return program.wake(golden, bytes, limits, host, WAKE_LIMITS);
  }

  /** What bytes are an increment to; undefined for a snapshot. */
  #baseOf(bytes: Uint8Array): Checkpoint | undefined {
    return INCREMENT_MAGIC.every((byte, at) => bytes[at] === byte) ? this.#golden : undefined;
  }
}

function snapshotBytes(image: InstanceImage): Uint8Array {
  return new Uint8Array(Buffer.concat([...encodeSnapshot(image)]));
}
