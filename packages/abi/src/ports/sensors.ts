/** What the machine feels like right now: battery, heat, load. Absent facts are `undefined`, never a made-up default. */

/** A battery reading. */
export interface BatteryReading {
  /** 0 to 100. */
  readonly percent: number;
  /** Whether it is being charged. */
  readonly charging: boolean;
}

/** Sensors of one machine. Each call reads anew. */
export interface Sensors {
  /** The battery, or `undefined` on a machine without one. */
  battery(): Promise<BatteryReading | undefined>;
  /** The hottest known component in degrees Celsius, or `undefined` when no sensor can be read. */
  temperatureCelsius(): Promise<number | undefined>;
  /** Busy share of all cores since the previous call, 0 to 1; `undefined` on the first call. */
  cpuLoad(): Promise<number | undefined>;
  /** Bytes of memory this process may still take under the machine's and the control group's limits. */
  availableMemoryBytes(): Promise<number>;
}
