/** Temperatures of Linux: thermal zones (sysfs-class-thermal) and on-die hwmon sensors (sysfs-interface). */

/** Readings outside are sensors that are not connected or report an error value; silicon works inside. */
const PLAUSIBLE_CELSIUS = { least: -40, most: 150 } as const;

/**
 * A reading in thousandths of a degree as degrees Celsius; `undefined` when it is no plausible temperature.
 */
export function parseMillidegrees(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? "";
  if (!/^-?\d{1,7}$/.test(trimmed)) return undefined;
  const celsius = Number(trimmed) / 1000;
  return celsius >= PLAUSIBLE_CELSIUS.least && celsius <= PLAUSIBLE_CELSIUS.most ? celsius : undefined;
}

/**
 * hwmon drivers that read sensors inside a chip. Board monitors (nct6775, it87, ...) are left out: their
 * unused inputs float and report anything.
 */
const ON_DIE_DRIVERS: ReadonlySet<string> = new Set([
  "coretemp",
  "k8temp",
  "k10temp",
  "fam15h_power",
  "zenpower",
  "via_cputemp",
  "cpu_thermal",
  "soc_thermal",
  "cpu0_thermal",
  "scpi_sensors",
  "scmi_sensors",
  "amdgpu",
  "nvme",
]);

/** Whether a hwmon driver's temperatures are those of a chip. */
export function isOnDieSensor(driverName: string | undefined): boolean {
  return ON_DIE_DRIVERS.has(driverName?.trim() ?? "");
}
