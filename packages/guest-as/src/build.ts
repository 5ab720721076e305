/** Compiling guests: needs the optional peer `assemblyscript`. */
export { compileAssemblyScript } from "./compile.ts";
export { CompileFailedError, CompilerMissingError } from "./errors.ts";
