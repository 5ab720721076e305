/**
 * An embedded image on a simulated microcontroller: its waits become power modes, its time virtual time, and the battery pays.
 *
 * MD1. A wait ends so many ticks after the end of the wait before it, at an interrupt, or when the battery is empty. So the time that the image
 *      runs is no drift of its clock.
 * MD2. Between two waits the core runs for the time that the options state, in mode `normal`.
 * MD3. When the battery is empty the wait throws: the image and its memory are gone.
 */
import { MemoryLostError } from "../errors.ts";
import type { ImageDevice } from "../image.ts";
import { finite } from "../limits.ts";
import { type PowerMode, powerMode } from "../power/power-mode.ts";
import type { SimulatedMicrocontroller } from "./simulated-microcontroller.ts";

/** A tick of an image in microseconds. */
const TICK_MICROS = 1000;

/** What an image does outside, and what that takes. */
export interface MicrocontrollerDeviceOptions {
  readonly emit: ImageDevice["emit"];
  readonly sense: ImageDevice["sense"];
  /** How long the core runs between two waits, in microseconds: 0 or more; default 500. */
  readonly busyMicros?: number;
  /** The next interrupt at or after this device's time, in microseconds; default: none ever comes. */
  readonly nextInterruptMicros?: (nowMicros: number) => number | undefined;
}

/** Wait in a mode for so long, then go on in `normal`. */
function spend(controller: SimulatedMicrocontroller, mode: PowerMode, micros: number): void {
  const { processor } = controller;
  const { runs } = powerMode(mode);
  if (runs && mode !== "normal") processor.enter(mode);
  const waits = runs ? processor.waitForInterrupt() : processor.enter(mode);
  controller.advance(micros);
  if (!controller.alive) throw new MemoryLostError();
  if (waits) controller.raise(mode === "standby" ? "rtc" : "interrupt");
  processor.take();
  if (processor.mode !== "normal") processor.enter("normal");
}

/** The device of an image that runs on this microcontroller. @throws {BadOptionError} */
export function microcontrollerDevice(
  controller: SimulatedMicrocontroller,
  options: MicrocontrollerDeviceOptions,
): ImageDevice {
  const busyMicros = finite("busyMicros", options.busyMicros ?? 500, 0, 1e9);
  let endedMicros = controller.nowMicros;
  return {
    emit: options.emit,
    sense: options.sense,
    wait: (mode, ticks) => {
      controller.advance(busyMicros);
      if (!controller.alive) throw new MemoryLostError();
      const due = endedMicros + ticks * TICK_MICROS;
      const interrupt = options.nextInterruptMicros?.(controller.nowMicros) ?? Number.POSITIVE_INFINITY;
      const end = Math.min(due, interrupt);
      spend(controller, mode, Math.max(0, end - controller.nowMicros));
      const left = Math.max(0, Math.floor((due - Math.max(end, endedMicros)) / TICK_MICROS));
      endedMicros = due - left * TICK_MICROS;
      return left;
    },
  };
}
