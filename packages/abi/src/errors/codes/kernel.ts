/** Codes of the `kernel` namespace. */
export const KERNEL_CODES = {} as const;
