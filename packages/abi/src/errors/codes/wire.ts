/** Codes of the `wire` namespace. */
export const WIRE_CODES = {} as const;
