/** Codes of the `store` namespace. */
export const STORE_CODES = {} as const;
