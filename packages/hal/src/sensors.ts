/** Entry point `@glia-os/hal/sensors`: battery, heat, load and free memory. */
export { createLocalMachine, type LocalMachineOptions, type Machine, type OsLibrary } from "./machine.ts";
export { createSystemSensors } from "./system-sensors.ts";
