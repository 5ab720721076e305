/**
 * Before everything else: data and element segments are kept for the life of a guest.
 *
 * KS1. `data.drop` and `elem.drop` become `nop`. A dropped segment would be state that no snapshot could take; kept, it is part of
 *      the module. An instruction that reads a segment after the guest dropped it does so, where the original would trap.
 */
import { bodyHead, writeBody } from "../binary/body.ts";
import { BULK, Instructions, OP } from "../binary/instruction.ts";
import { type FunctionType, readOutline } from "../binary/outline.ts";
import { type Edit, rewriteCode } from "../binary/rewrite-code.ts";
import { SECTION, withSections } from "../binary/sections.ts";
import { ByteWriter, u32 } from "../binary/writer.ts";
import { importedFunctions } from "../metering/call-graph.ts";

const same = (index: number): number => index;

/** The module without drops of segments; the same bytes when it has none. @throws MalformedModuleError, UnsupportedFeatureError */
export function keepSegments(bytes: Uint8Array): Uint8Array {
  const outline = readOutline(bytes);
  const imported = importedFunctions(outline);
  const out = new ByteWriter(bytes.length);
  out.push(u32(outline.bodies.length));
  let replaced = 0;
  for (const [at, body] of outline.bodies.entries()) {
    const head = bodyHead(bytes, body, outline.functions[imported + at] as FunctionType);
    const edits = drops(new Instructions(bytes, head.code, body.end));
    replaced += edits.length;
    writeBody(out, bytes, head, [], rewriteCode(bytes, head.code, body.end, edits, same));
  }
  return replaced === 0 ? bytes : withSections(bytes, outline, new Map([[SECTION.code, out.done()]]));
}

function drops(code: Instructions): Edit[] {
  const edits: Edit[] = [];
  while (code.next()) {
    const { opcode, operation, start, end } = code;
    if (opcode === OP.bulk && (operation === BULK.dataDrop || operation === BULK.elemDrop))
      edits.push({ start, end, bytes: [OP.nop] });
  }
  return edits;
}
