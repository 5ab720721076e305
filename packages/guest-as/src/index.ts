/** Where the AssemblyScript sources of the SDK are and how to compile a guest with them. */
export { ascArguments, assemblySources } from "./sources.ts";
