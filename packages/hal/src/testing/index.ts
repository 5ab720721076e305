/**
 * Entry point `@glia-os/hal/testing`: contracts of the ports this package implements, for other
 * implementations to run.
 */
export { clockContract, type TimersUnderTest, timersContract } from "./clock-contract.ts";
export type { ContractCase } from "./contract-case.ts";
export { digestsContract, ED25519_VECTOR, signerContract } from "./digests-contract.ts";
export { randomContract } from "./random-contract.ts";
export { sensorsContract } from "./sensors-contract.ts";
