/** Numbers in system files. */

/** A decimal integer from 0 to 2^53 - 1, alone on its line; `undefined` for anything else. */
export function parseInteger(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? "";
  if (!/^\d{1,16}$/.test(trimmed)) return undefined;
  const value = Number(trimmed);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** A size such as `32K`, `12288K`, `1M` or `64`, in bytes, as sysfs and cpuinfo print it. */
export function parseSize(text: string | undefined): number | undefined {
  const match = /^(\d{1,15})\s*([KMG]?)i?B?$/i.exec(text?.trim() ?? "");
  if (match === null) return undefined;
  const unit = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }[match[2]!.toUpperCase()]!;
  const bytes = Number(match[1]) * unit;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
