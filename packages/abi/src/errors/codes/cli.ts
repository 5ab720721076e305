/** Codes of the `cli` namespace. */
export const CLI_CODES = {} as const;
