/** Codes of the `hal` namespace. */
export const HAL_CODES = {
  "hal.bad-delay": {
    retryable: false,
    changed: "Nothing: no timer was set.",
    fix: "Pass a finite delay of 0 or more milliseconds.",
  },
  "hal.bad-key": {
    retryable: false,
    changed: "Nothing: no signer was made.",
    fix: "Pass an unencrypted Ed25519 private key as PKCS#8, in DER or PEM.",
  },
  "hal.bad-random-label": {
    retryable: false,
    changed: "Nothing: no source was made.",
    fix: "Name the source with 1 to 256 characters.",
  },
  "hal.bad-target": {
    retryable: false,
    changed: "Nothing: the description was refused before use.",
    fix: "Correct the field named in the message; the format is described in docs/hardware.md.",
  },
  "hal.too-many-timers": {
    retryable: true,
    changed: "Nothing: no timer was set and none was dropped.",
    fix: "Cancel timers that are no longer needed, or make the timers with a higher limit.",
  },
} as const;
