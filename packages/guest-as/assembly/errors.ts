/** Negative results of host calls (the same numbers as GUEST_ERRORS of @glia-os/abi/wire). */

/** A pointer or length lies outside the guest's memory. */
export const E_FAULT: i32 = -1;
/** The destination is too small; nothing was consumed. */
export const E_TOO_BIG: i32 = -2;
/** The call is not allowed now, for example a second reply. */
export const E_STATE: i32 = -3;
/** An argument is out of range. */
export const E_RANGE: i32 = -4;
/** A limit of the guest is used up. */
export const E_LIMIT: i32 = -5;
/** The peer or resource is gone. */
export const E_GONE: i32 = -6;
/** The time given is over; nothing was consumed. */
export const E_TIMEOUT: i32 = -7;
/** The number is no handle of this guest. */
export const E_HANDLE: i32 = -8;
/** The capability lacks the right, or names something else. */
export const E_DENIED: i32 = -9;
/** The call was made and failed; `failureText()` says how. */
export const E_FAILED: i32 = -10;
