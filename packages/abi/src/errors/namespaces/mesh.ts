/** The base of the `mesh` errors: it brings the sentences of their codes with it. */
import { MESH_CODES } from "../codes/mesh.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `mesh` namespace. */
export type MeshErrorCode = keyof typeof MESH_CODES;

/** A refusal by the mesh; `code` says which. */
export class MeshError<Code extends MeshErrorCode = MeshErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, MESH_CODES[code], options);
  }
}
