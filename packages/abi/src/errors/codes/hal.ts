/** Codes of the `hal` namespace. */
export const HAL_CODES = {} as const;
