/** Second step: binaryen's asyncify pass over the blocking imports, with suspended calls kept in a memory of their own. */
import { HOST_IMPORTS, HOST_MODULE } from "@glia-os/abi/wire";
import type Binaryen from "binaryen";
import { BinaryenMissingError, MalformedModuleError, UnsupportedFeatureError } from "../errors.ts";
import { STACK_PAGES } from "../layout.ts";
import { splitBodies } from "./split-bodies.ts";

/** Names of the blocking imports as asyncify writes them. */
const BLOCKING = HOST_IMPORTS.filter(({ blocking }) => blocking).map(({ name }) => `${HOST_MODULE}.${name}`);

/** Load the optional peer. @throws BinaryenMissingError */
export async function loadBinaryen(): Promise<typeof Binaryen> {
  try {
    return (await import("binaryen")).default;
  } catch (cause) {
    throw new BinaryenMissingError(cause);
  }
}

/**
 * The module with asyncify applied, a quick copy of what it can suspend (split-bodies.ts), and optimised again. `suspending` names
 * imports of host modules, as `module/function`, that may suspend too. Settings of binaryen are global, so this sets all it relies on.
 * @throws MalformedModuleError, UnsupportedFeatureError
 */
export function asyncify(
  binaryen: typeof Binaryen,
  bytes: Uint8Array,
  suspending: readonly string[] = [],
): Uint8Array {
  binaryen.clearPassArguments();
  binaryen.clearPassesToSkip();
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(0);
  binaryen.setDebugInfo(false);
  binaryen.setPassArgument(
    "asyncify-imports",
    [...BLOCKING, ...suspending.map((one) => one.replace("/", "."))].join(","),
  );
  binaryen.setPassArgument("asyncify-in-secondary-memory", "true");
  binaryen.setPassArgument("asyncify-secondary-memory-size", String(STACK_PAGES));
  const { Features } = binaryen;
  const features = GUEST_FEATURES.reduce((all, name) => all | Features[name], 0);
  let module = read(binaryen, bytes, features);
  try {
    suspendableBy(module);
    const split = splitBodies(module.emitBinary());
    module.dispose();
    module = read(binaryen, split, features);
    module.optimize();
    if (!module.validate()) throw new MalformedModuleError("it is not valid after asyncify");
    return module.emitBinary();
  } finally {
    module.dispose();
    binaryen.clearPassArguments();
  }
}

/** Binaryen throws something that is no error of JavaScript at what it cannot read. */
function read(binaryen: typeof Binaryen, bytes: Uint8Array, features: number): Binaryen.Module {
  // The declared `readBinaryWithFeatures` is not there in 132; `readBinary` takes the features as its second argument.
  const readBinary: (data: Uint8Array, features: number) => Binaryen.Module = binaryen.readBinary;
  try {
    return readBinary(bytes, features);
  } catch {
    throw new MalformedModuleError("binaryen cannot read it");
  }
}

/** Binaryen ends the pass with something that is no error of JavaScript when a frame would hold a reference. */
function suspendableBy(module: Binaryen.Module): void {
  try {
    module.runPasses(["asyncify"]);
  } catch {
    throw new UnsupportedFeatureError(
      "a reference that is held across a call that may wait",
      "it cannot be taken as bytes; keep it in a table",
    );
  }
}

const GUEST_FEATURES = [
  "MutableGlobals",
  "NontrappingFPToInt",
  "SIMD128",
  "BulkMemory",
  "BulkMemoryOpt",
  "CallIndirectOverlong",
  "SignExt",
  "ReferenceTypes",
  "Multivalue",
  "ExtendedConst",
  "MultiMemory",
] as const;
