/** Renames the module of one import, so that modules which were compiled apart can be merged. */

/** The module bytes with the import `from.name` turned into `to.name`. Other imports stay. */
export function withImportModule(bytes: Uint8Array, from: string, name: string, to: string): Uint8Array {
  const old = entryHead(from, name);
  const at = find(bytes, old);
  const section = sectionAround(bytes, at);
  const body = Buffer.concat([
    bytes.subarray(section.body, at),
    entryHead(to, name),
    bytes.subarray(at + old.length, section.end),
  ]);
  return Buffer.concat([
    bytes.subarray(0, section.start),
    Buffer.of(2, ...leb(body.length)),
    body,
    bytes.subarray(section.end),
  ]);
}

function entryHead(module: string, name: string): Buffer {
  return Buffer.concat([text(module), text(name)]);
}

function text(value: string): Buffer {
  const content = Buffer.from(value);
  return Buffer.concat([Buffer.from(leb(content.length)), content]);
}

function leb(value: number): number[] {
  const low = value & 0x7f;
  return value > 0x7f ? [low | 0x80, ...leb(value >>> 7)] : [low];
}

function find(bytes: Uint8Array, wanted: Buffer): number {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(wanted);
  if (at < 0) throw new RangeError(`the module does not import ${wanted.toString()}`);
  return at;
}

function sectionAround(bytes: Uint8Array, position: number): { start: number; body: number; end: number } {
  for (let start = 8; start < bytes.length; ) {
    let at = start + 1;
    let length = 0;
    for (let shift = 0, more = true; more; shift += 7) {
      const byte = bytes[at++] as number;
      length |= (byte & 0x7f) << shift;
      more = byte > 0x7f;
    }
    if (position < at + length) return { start, body: at, end: at + length };
    start = at + length;
  }
  throw new RangeError("the position is in no section");
}
