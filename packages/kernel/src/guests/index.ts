/** Guests of an engine, such as WebAssembly modules, as tasks. */
export { CarriedRanges } from "./carried-ranges.ts";
export { GuestMessageError, GuestNoReplyError, GuestResultTooLongError } from "./errors.ts";
export { GuestCalls, isGuestCall } from "./guest-calls.ts";
export { type GuestProgramOptions, type GuestTerms, guestProgram } from "./guest-program.ts";
export { fetchOf, refusal } from "./guest-requests.ts";
export { type GuestGift, HeldCapabilities } from "./held-capabilities.ts";
export { type Packed, Parcel, pack } from "./parcel.ts";
export { type PlacedGuestOptions, placedGuestProgram } from "./placed-guest-program.ts";
export { decodeUtf8, encodeUtf8 } from "./utf8.ts";
