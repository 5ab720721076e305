/**
 * Steps of a guest that another thread runs while its pages come, for the task that performs its calls here.
 *
 * AW1. What the guest did with its capabilities there is done after it here, in its order and before any call of it: the kernel decides about each use.
 *      So are its replies, at the end of the step or slice in which it gave them: of several to one message the first counts, as of a guest that is here,
 *      wherever it gave the next one.
 * AW2. The bytes that a call on a capability points at come with it, so that no page is looked for here.
 */
import type { CallResult, EngineInstance, GuestNote, PendingCall, StepOutcome } from "@glia-os/abi/ports";
import type { Handle, Routine, Sys } from "@glia-os/kernel";
import { CarriedRanges, type HeldCapabilities, isGuestCall } from "@glia-os/kernel/guests";
import type { AwayOutcome } from "./pages-port.ts";

/** What a task needs of a cell whose guest is, or was, elsewhere. */
export interface AwayCell {
  /** Absent while its steps are made elsewhere. */
  readonly instance: EngineInstance;
  /** Set while its steps are made elsewhere. */
  readonly away: object | undefined;
  readonly held: HeldCapabilities;
  /** What it did elsewhere with its capabilities, and its replies; taken from here (AW1). */
  readonly notes: GuestNote[];
  /** Answer the message that it took last. */
  reply(payload: Uint8Array): number;
  /** Begin a step elsewhere. */
  stepAway(result: CallResult | undefined, fuel: number): void;
  /** Ask for the call that it stands in, as the end of a step. */
  standAway(): void;
}

/** AW1. In the task of the cell. */
export function doAfter(cell: Pick<AwayCell, "notes" | "held" | "reply">): void {
  const { notes, held } = cell;
  for (const note of notes.splice(0)) {
    if (note.kind === "reply") cell.reply(note.payload);
    else if (note.kind === "bind") held.bind(note.handle, note.row, note.parent);
    else if (note.kind === "drop") held.drop(note.handle);
    else if (note.kind === "revoke") held.revoke(note.handle);
  }
}

/** Those of one task; when the guest has come over they are made here. */
export class AwaySteps {
  readonly #cell: AwayCell;
  readonly #sys: Sys;
  readonly #ends: Handle<AwayOutcome>;
  /** What came with the call that is pending (AW2). */
  #carried: CarriedRanges | undefined;

  constructor(cell: AwayCell, sys: Sys, ends: Handle<AwayOutcome>) {
    this.#cell = cell;
    this.#sys = sys;
    this.#ends = ends;
  }

  *step(result: CallResult | undefined, fuel: number): Routine<StepOutcome> {
    const { away, instance } = this.#cell;
    this.#carried = undefined;
    if (away === undefined) {
      doAfter(this.#cell);
      return instance.step(result, fuel);
    }
    this.#cell.stepAway(result, fuel);
    return yield* this.#end();
  }

  /** The call that it came with. */
  *stand(call: PendingCall): Routine<StepOutcome> {
    if (this.#cell.away === undefined || !isGuestCall(call)) return { kind: "pending", call };
    this.#cell.standAway();
    return yield* this.#end();
  }

  /** Bytes of the guest: of what its call points at, when that came with it. */
  read(pointer: number, length: number): Uint8Array | undefined {
    return (this.#carried ?? this.#cell.instance).read(pointer, length);
  }

  *#end(): Routine<StepOutcome> {
    const { ranges, ...outcome } = yield* this.#sys.receive(this.#ends);
    if (ranges !== undefined) this.#carried = new CarriedRanges(ranges);
    doAfter(this.#cell);
    return outcome;
  }
}
