/**
 * Last step: make the rest of the state reachable from outside and label the module.
 *
 * X1. Afterwards every mutable global is exported as `glia.global.N` and the memory of suspended calls as `glia.stack`; with
 *     memory 0 they are the whole state of an instance (see code-scan.ts, C2).
 */
import { KIND, readOutline } from "../binary/outline.ts";
import { SECTION, withEntries, withSections } from "../binary/sections.ts";
import { concat, customSection, name, u32 } from "../binary/writer.ts";
import { UnsupportedFeatureError } from "../errors.ts";
import { GLOBAL_EXPORT, STACK_EXPORT } from "../layout.ts";
import { encodeProfile, PROFILE_SECTION, type ProfileRecord } from "../profile.ts";

const NUMERIC = new Set([0x7f, 0x7e, 0x7d, 0x7c]);

/** The asyncified module with its state exported and its profile attached. @throws UnsupportedFeatureError */
export function exportState(bytes: Uint8Array, profile: ProfileRecord): Uint8Array {
  const outline = readOutline(bytes);
  const globals = outline.globals.flatMap(({ type, mutable }, index) => {
    if (!mutable) return [];
    if (!NUMERIC.has(type))
      throw new UnsupportedFeatureError(
        "a mutable vector or reference global",
        "it cannot be taken as bytes",
      );
    return [[...name(`${GLOBAL_EXPORT}${index}`), KIND.global, ...u32(index)]];
  });
  const stack = [...name(STACK_EXPORT), KIND.memory, ...u32(outline.memories.length - 1)];
  const suspendable = profile.profile === "none" ? [] : [stack];
  const exports = withEntries(bytes, outline, SECTION.exports, [...globals, ...suspendable]);
  const sections = outline.sections.filter(({ id }) => id !== SECTION.custom);
  return concat([
    withSections(bytes, { ...outline, sections }, new Map([[SECTION.exports, exports]])),
    customSection(PROFILE_SECTION, encodeProfile(profile)),
  ]);
}
