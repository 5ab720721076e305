/** JSON in one form per value (RFC 8785): names in the order of their UTF-16 units, no spaces. */

/** The canonical text of plain data. What JSON cannot hold is left out as `JSON.stringify` does. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    const names = Object.keys(part).sort();
    return Object.fromEntries(names.map((name) => [name, (part as Record<string, unknown>)[name]]));
  });
}

/** Where two values first differ, as a path such as `messages[3].content`; undefined when they are equal. */
export function firstDifference(a: unknown, b: unknown, path = ""): string | undefined {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return path;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  for (const name of [...names].sort()) {
    const step = Array.isArray(a) ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`;
    const found = firstDifference(left[name], right[name], step);
    if (found !== undefined) return found;
  }
  return undefined;
}
