/**
 * Instruments a module so that a guest made from it can be stopped, taken as bytes and continued elsewhere.
 *
 * I1. The output depends on the input and the options alone: the same bytes on every machine and Node version.
 * I2. The output passes the engine's admission, or instrumenting fails with the reason.
 */

import { checkGuest } from "../admission.ts";
import { scanCode } from "../binary/code-scan.ts";
import { readOutline } from "../binary/outline.ts";
import { SYS_SUSPENDING } from "../capabilities/suspending.ts";
import { BadLimitError, NotAModuleError, NotInstrumentedError } from "../errors.ts";
import { FUEL_MODULE, FUEL_YIELD } from "../layout.ts";
import { enforceFuel } from "../metering/enforce.ts";
import { markFuel } from "../metering/mark.ts";
import {
  isProfile,
  PIPELINE_VERSION,
  PROFILE_SECTION,
  PROFILES,
  type Profile,
  sha256Hex,
} from "../profile.ts";
import { WASI_SUSPENDING } from "../wasi/suspending.ts";
import { webAssembly } from "../web-assembly.ts";
import { asyncify, loadBinaryen } from "./asyncify.ts";
import { boundBulk } from "./bound-bulk.ts";
import { exportState } from "./export-state.ts";
import { integerGlobals } from "./float-globals.ts";
import { keepSegments } from "./keep-segments.ts";
import { normalize } from "./normalize.ts";

/** How to instrument. */
export interface InstrumentOptions {
  /** Default `cooperative`. */
  readonly profile?: Profile;
  /** Cap on linear memory in 64 KiB pages, 1 to 65,536; the module's own maximum holds when it is lower. Default 4096 (256 MiB). */
  readonly maximumPages?: number;
  /**
   * Imports of host modules, as `module/function`, at which the guest may be suspended besides the waiting ones of `glia.v1`,
   * `glia.sys.v1` and WASI. Names without a comma.
   */
  readonly suspending?: readonly string[];
}

/** What came out. */
export interface Instrumented {
  /** The module to load. */
  readonly bytes: Uint8Array;
  /** SHA-256 of {@link bytes}, as hexadecimal: the hash that snapshots carry. */
  readonly hash: string;
  /** SHA-256 of the input, as hexadecimal. */
  readonly original: string;
}

const DEFAULT_MAXIMUM_PAGES = 4096;
/** All a 32-bit memory can have. */
const MOST_PAGES = 65_536;

/**
 * Instrument a core WebAssembly module. Needs the optional peer `binaryen`; takes tenths of a second for small modules and
 * about 100 MiB while it runs.
 * @throws NotAModuleError, NotInstrumentedError (when it is instrumented already), UnsupportedFeatureError, UnboundedModuleError,
 * MalformedModuleError, BinaryenMissingError, BadLimitError
 */
export async function instrument(bytes: Uint8Array, options: InstrumentOptions = {}): Promise<Instrumented> {
  const profile = options.profile ?? "cooperative";
  if (!isProfile(profile))
    throw new NotInstrumentedError(
      `there is no profile ${String(profile)}; there are ${PROFILES.join(", ")}`,
    );
  const maximumPages = options.maximumPages ?? DEFAULT_MAXIMUM_PAGES;
  if (!Number.isInteger(maximumPages) || maximumPages < 1 || maximumPages > MOST_PAGES)
    throw new BadLimitError("maximumPages", maximumPages, 1, MOST_PAGES);
  const outline = readOutline(bytes);
  if (!webAssembly.validate(bytes)) throw new NotAModuleError("its content is not valid");
  if (outline.customs.some(({ name }) => name === PROFILE_SECTION))
    throw new NotInstrumentedError("the module is instrumented already; instrument the original");
  const { grown } = scanCode(bytes, outline, true);
  const original = sha256Hex(bytes);
  const normalized = normalize(integerGlobals(keepSegments(bytes)), maximumPages, grown);
  const suspendable = await withProfile(normalized, profile, [
    ...WASI_SUSPENDING,
    ...SYS_SUSPENDING,
    ...(options.suspending ?? []),
  ]);
  const output = exportState(suspendable, { profile, pipeline: PIPELINE_VERSION, original });
  checkGuest(output);
  return { bytes: output, hash: sha256Hex(output), original };
}

/** `fuel -> asyncify -> fuel`, as far as the profile asks for it. */
async function withProfile(
  bytes: Uint8Array,
  profile: Profile,
  suspending: readonly string[],
): Promise<Uint8Array> {
  if (profile === "none") return bytes;
  const binaryen = await loadBinaryen();
  if (profile === "cooperative") return asyncify(binaryen, bytes, suspending);
  const preemptive = profile === "preemptive";
  const marked = markFuel(boundBulk(bytes), preemptive);
  const stops = preemptive ? [...suspending, `${FUEL_MODULE}/${FUEL_YIELD}`] : suspending;
  return enforceFuel(asyncify(binaryen, marked, stops));
}
