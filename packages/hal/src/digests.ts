/** Entry point `@glia-os/hal/digests`: hashes, message authentication and Ed25519 signatures. */
export { createEd25519Signer, generateEd25519Key } from "./ed25519-signer.ts";
export { BadKeyError } from "./errors.ts";
export { createSystemDigests } from "./system-digests.ts";
