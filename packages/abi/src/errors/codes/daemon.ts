/** Codes of the `daemon` namespace. */
export const DAEMON_CODES = {} as const;
