/**
 * The outside of an embedded image (docs/spec/embedded-image.md), for hosts in JavaScript. The caller makes the instance: this package has no
 * WebAssembly of its own.
 *
 * EI1. An image of another version, or a module that is no image, is refused before it is started.
 * EI2. What an image says is checked: modes and numbers out of range are refused, not passed on.
 */
import { BadImageError } from "./errors.ts";
import { whole } from "./limits.ts";
import { POWER_MODES, type PowerMode } from "./power/power-mode.ts";

/** The version of the interface between an image and its device. */
export const IMAGE_VERSION = 1;

/** What an image runs on. */
export interface ImageDevice {
  /** Wait in a mode for at most so many ticks of a millisecond. Returns the ticks that were left when something ended it early, else 0. */
  wait(mode: PowerMode, ticks: number): number;
  /** A task gives something to the outside. Kinds below 16 are the runtime's trace. */
  emit(task: number, kind: number, value: number): void;
  /** Read a sensor. */
  sense(channel: number): number;
}

/** The imports of an image, for `WebAssembly.Instance`. */
export interface DeviceImports {
  readonly "glia.rt": {
    readonly wait: (mode: number, ticks: number) => number;
    readonly emit: (task: number, kind: number, value: number) => void;
    readonly sense: (channel: number) => number;
  };
}

/** The exports that every image has. */
export interface ImageExports {
  readonly version: () => number;
  readonly boot: () => number;
  readonly run: () => number;
  readonly interrupt: (source: number, value: number) => number;
  readonly now: () => number;
  readonly ramBytes: () => number;
}

/** What fits into the numbers of an image. */
const I32_LEAST = -2_147_483_648;
const I32_MOST = 2_147_483_647;
const NAMES = ["version", "boot", "run", "interrupt", "now", "ramBytes"] as const;

/** The imports that connect an image with a device. */
export function imageImports(device: ImageDevice): DeviceImports {
  return {
    "glia.rt": {
      wait: (mode, ticks) => {
        const facts = POWER_MODES[mode];
        if (facts === undefined || !facts.retainsMemory || ticks < 0)
          throw new BadImageError(`it waits for ${ticks} ticks in mode ${mode}`);
        return whole("ticks left", device.wait(facts.mode, ticks), 0, ticks);
      },
      emit: (task, kind, value) => device.emit(task, kind, value),
      sense: (channel) => device.sense(channel),
    },
  };
}

/** An image that is instantiated. */
export class EmbeddedImage {
  readonly #exports: ImageExports;

  /** `exports`: those of the instance. @throws {BadImageError} */
  constructor(exports: object) {
    const found = exports as Partial<ImageExports>;
    for (const name of NAMES)
      if (typeof found[name] !== "function") throw new BadImageError(`it has no function ${name}`);
    this.#exports = found as ImageExports;
    const version = this.#exports.version();
    if (version !== IMAGE_VERSION) throw new BadImageError(`its version is ${version}, not ${IMAGE_VERSION}`);
  }

  /** Start from the beginning. Returns how many tasks there are. */
  boot(): number {
    return this.#exports.boot();
  }

  /** Go on until all tasks have ended (0), or nothing can happen without an interrupt: the tasks that are left. */
  run(): number {
    return this.#exports.run();
  }

  /** An interrupt of a source, 0 to 31; how many tasks were told. May be called while the image waits. @throws {BadOptionError} */
  interrupt(source: number, value = 0): number {
    whole("source", source, 0, 31);
    return this.#exports.interrupt(source, whole("value", value, I32_LEAST, I32_MOST));
  }

  /** Ticks since the start. */
  get nowTicks(): number {
    return this.#exports.now();
  }

  /** Bytes of memory that it uses. */
  get ramBytes(): number {
    return this.#exports.ramBytes();
  }
}
