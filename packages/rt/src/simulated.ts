/** Simulated hardware for programs that use this package: nothing here is a measurement of a device. */
export { RtError } from "@glia-os/abi/errors/rt";
