/** Simulated hardware for programs that use this package: nothing here is a measurement of a device. */
export { type DischargeCurve, LITHIUM_ION, voltsAt } from "./device/discharge-curve.ts";
export { type MicrocontrollerDeviceOptions, microcontrollerDevice } from "./device/microcontroller-device.ts";
export { SimulatedBattery, type SimulatedBatteryOptions } from "./device/simulated-battery.ts";
export {
  type EnergyAccount,
  SimulatedMicrocontroller,
  type SimulatedMicrocontrollerOptions,
} from "./device/simulated-microcontroller.ts";
