/** Codes of the `mesh` namespace. */
export const MESH_CODES = {} as const;
