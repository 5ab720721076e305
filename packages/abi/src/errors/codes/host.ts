/** Codes of the `host` namespace. */
export const HOST_CODES = {} as const;
