/** Codes of the `cells` namespace. */
export const CELLS_CODES = {} as const;
