/**
 * The layer table: which first-party packages a package may import. A package that is not here fails the run, so a new
 * package is placed in a layer before it has code. Imports of types count.
 */

const cores = ["abi", "hal", "kernel", "rt", "store", "sim", "durable"];
const mesh = ["host", "quic", "mesh-core", "mesh-wire"];
const guests = ["wasm", "guest-as", "guest-js", "tensor", "cells"];
const services = ["tools", "memory", "market", "inference"];
const everything = [...cores, ...mesh, ...guests, ...services];

/** By a package's folder name: the folder names it may depend on and import. */
export const layers: Readonly<Record<string, readonly string[]>> = {
  abi: [],
  hal: ["abi"],
  kernel: ["abi"],
  rt: ["abi"],
  store: ["abi"],
  sim: ["abi", "kernel"],
  durable: ["abi", "kernel"],
  host: ["abi", "kernel", "rt", "hal"],
  quic: [],
  "mesh-core": ["abi"],
  "mesh-wire": ["abi", "quic"],
  wasm: ["abi"],
  "guest-as": ["abi"],
  "guest-js": ["abi", "wasm", "cells"],
  tensor: ["abi", "hal"],
  cells: ["abi", "kernel", "durable", "mesh-core"],
  tools: ["abi", "kernel", "cells"],
  memory: ["abi", "kernel", "cells", "store"],
  market: ["abi", "kernel", "cells"],
  inference: ["abi", "kernel", "cells"],
  daemon: everything,
  "create-glia": ["abi"],
  cli: [...everything, "daemon", "create-glia"],
  console: [...everything, "daemon"],
};

/** Packages whose code takes time, randomness, network and disk as ports. */
export const sansIo: readonly string[] = ["abi", "kernel", "durable", "rt", "mesh-core", "cells", "sim"];

/** Only these read the command line and the environment. */
export const readsEnvironment: readonly string[] = ["daemon", "cli", "console"];
