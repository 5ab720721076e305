/**
 * A guest whose calls are performed elsewhere: its news go out, and it stands still after a call or a used-up lease of fuel until it is
 * told to go on (port GL1 to GL3).
 */
import {
  GUEST_NOTES,
  type GuestAnswer,
  type GuestCapabilities,
  type GuestNews,
  type GuestNote,
  type GuestPlacement,
  type PendingCall,
} from "@glia-os/abi/ports";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import { callRanges, isSysCall } from "../capabilities/call-ranges.ts";
import { CapabilityMirror } from "../capabilities/capability-mirror.ts";
import type { WasmInstance } from "../engine/instance.ts";
import { Guest, type GuestServices } from "./guest.ts";
import type { GuestTerms } from "./options.ts";
import type { HostedProgram } from "./program.ts";

/** Whether whoever attends to a guest performs this call; other host modules' are performed where the guest runs. */
export function attends(call: PendingCall): boolean {
  return !call.op.includes("/") || isSysCall(call);
}

/** How a guest is attended to. */
export interface GuestAttendance extends Pick<GuestPlacement, "initial" | "names" | "leaseFuel"> {
  news(news: GuestNews): void;
}

/** A guest; see the banner. */
export class AttendedGuest extends Guest {
  readonly #attendance: GuestAttendance;
  readonly #mirror: CapabilityMirror;
  #notes: GuestNote[] = [];
  /** Notes since it was last told to go on. */
  #noted = 0;
  #asked = false;
  /** Fuel at which its lease ends; undefined before its first turn. */
  #leaseEnds: number | undefined;

  constructor(
    id: number,
    program: HostedProgram,
    terms: GuestTerms,
    services: GuestServices,
    attendance: GuestAttendance,
  ) {
    super(id, program, terms, services);
    this.#attendance = attendance;
    const full = (): boolean => this.#noted >= GUEST_NOTES;
    this.#mirror = new CapabilityMirror(attendance.initial, attendance.names, {
      get full() {
        return full();
      },
      note: (note) => this.#note(note),
    });
  }

  get capabilities(): GuestCapabilities {
    return this.#mirror;
  }

  override log(level: number, text: string): void {
    this.calls += 1;
    if (this.#noted < GUEST_NOTES) this.#note({ kind: "log", level, text });
  }

  override reply(payload: Uint8Array): number {
    this.calls += 1;
    if (!this.#asked) return GUEST_ERRORS.E_STATE;
    this.#asked = false;
    this.#note({ kind: "reply", payload });
    return 0;
  }

  /** It goes on: with the answer to its call, or with a new lease. */
  take(answer: GuestAnswer | undefined): void {
    this.#noted = 0;
    this.#leaseEnds = undefined;
    if (answer === undefined) return;
    this.answer = answer.result;
    if (answer.message === undefined) return;
    this.#asked = answer.message.asked;
    this.#mirror.came(answer.message.grants);
  }

  /** Its turn begins: a lease it does not have begins, too. */
  begin(instance: WasmInstance): void {
    this.#leaseEnds ??= instance.fuelUsed + this.#attendance.leaseFuel;
  }

  /** Whether its lease is used up. */
  spent({ fuelUsed }: WasmInstance): boolean {
    return fuelUsed >= (this.#leaseEnds ?? Number.POSITIVE_INFINITY);
  }

  /** It stands in a call. */
  tellPending(instance: WasmInstance, call: PendingCall): void {
    this.#mirror.called();
    this.#tell(instance.fuelUsed, { kind: "pending", call, ranges: callRanges(instance, call) });
  }

  /** It has used up its lease. */
  tellSpent({ fuelUsed }: WasmInstance): void {
    this.#tell(fuelUsed, { kind: "spent" });
  }

  /** It ends: what it did before, and the fuel it used. */
  tellLast(instance: WasmInstance | undefined): void {
    if (instance !== undefined) this.#tell(instance.fuelUsed, { kind: "running" });
  }

  /** What it did goes out at once, also while it goes on. */
  tellNotes(fuelUsed: number): void {
    if (this.#notes.length > 0) this.#tell(fuelUsed, { kind: "running" });
  }

  #tell(fuelUsed: number, stand: GuestNews["stand"]): void {
    const notes = this.#notes;
    this.#notes = [];
    this.#attendance.news({ notes, fuelUsed, stand });
  }

  #note(note: GuestNote): void {
    this.#noted += 1;
    this.#notes.push(note);
  }
}
