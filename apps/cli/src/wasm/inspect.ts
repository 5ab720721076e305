/** `glia wasm inspect FILE`: what a module is, what it asks for, and whether a guest of it can move. */
import type { ErrorRecord } from "@glia-os/abi/errors";
import { inspectModule, type ModuleReport, PROFILES, type Profile } from "@glia-os/wasm";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { instrumentInThread } from "./instrument-thread.ts";
import { readModule } from "./module-file.ts";

/** Its options. */
export interface InspectOptions {
  /** False with `--no-sizes`. */
  readonly sizes?: boolean;
}

/** What a profile makes of a module. */
type ProfileResult = { readonly bytes: number } | { readonly refused: ErrorRecord };

/** Run it. */
export async function wasmInspect(
  path: string,
  options: InspectOptions,
  context: Context,
): Promise<ExitCode> {
  const bytes = readModule(path);
  const report = inspectModule(bytes);
  const wanted = options.sizes === false || report.instrumented !== undefined ? [] : PROFILES;
  const results = await Promise.all(
    wanted.map(async (profile) => [profile, await sizeIn(bytes, profile, context)] as const),
  );
  const profiles: Partial<Record<Profile, ProfileResult>> = Object.fromEntries(results);
  const moves = movesOf(report, profiles);
  context.terminal.record({ ok: true, ...report, profiles, moves });
  for (const line of lines(report, profiles, moves)) context.terminal.line(line);
  return EXIT.ok;
}

async function sizeIn(original: Uint8Array, profile: Profile, context: Context): Promise<ProfileResult> {
  const made = await instrumentInThread({ original, profile, cache: undefined }, context);
  return "refused" in made ? made : { bytes: made.bytes.length };
}

/** Where a guest of the module can be stopped and moved, and why not elsewhere. */
interface Moves {
  readonly can: boolean;
  readonly where: readonly string[];
  readonly why: readonly string[];
}

function movesOf(report: ModuleReport, profiles: Partial<Record<Profile, ProfileResult>>): Moves {
  const why = obstacles(report);
  for (const profile of ["cooperative", "preemptive"] as const) {
    const result = profiles[profile];
    if (result !== undefined && "refused" in result) why.push(`${profile}: ${result.refused.message}`);
  }
  const blocked = obstacles(report).length > 0;
  const waits = report.imports
    .filter(({ suspends }) => suspends)
    .map(({ module, name }) => `${module}/${name}`);
  const own = report.instrumented?.profile;
  const has = (profile: Profile): boolean => {
    const result = profiles[profile];
    if (own !== undefined) return own === profile;
    return result === undefined ? Object.keys(profiles).length === 0 : "bytes" in result;
  };
  const where: string[] = [];
  if (!blocked && own !== "none" && (has("cooperative") || has("preemptive") || own !== undefined))
    where.push(...waits);
  if (!blocked && has("preemptive")) where.push("every loop and recursive call (profile preemptive)");
  if (own === "none") why.push("it was instrumented with the profile none");
  else if (own !== undefined && where.length === 0) why.push("it never waits");
  return { can: where.length > 0, where, why };
}

function obstacles({ entry, imports, refused }: ModuleReport): string[] {
  const unknown = imports.filter(({ offeredBy }) => offeredBy === "nobody");
  return [
    ...(entry === undefined ? ["it exports neither glia_main nor _start"] : []),
    ...(unknown.length === 0
      ? []
      : [`nobody here offers ${unknown.map(({ module, name }) => `${module}/${name}`).join(", ")}`]),
    ...(refused === undefined ? [] : [refused]),
  ];
}

function lines(
  report: ModuleReport,
  profiles: Partial<Record<Profile, ProfileResult>>,
  moves: Moves,
): string[] {
  const { instrumented, memory } = report;
  return [
    `module      ${report.bytes} bytes, sha256 ${report.hash}`,
    instrumented === undefined
      ? "pipeline    not instrumented"
      : `pipeline    ${instrumented.profile}, version ${instrumented.pipeline}, made from ${instrumented.original}`,
    `entry       ${report.entry ?? "none"}`,
    `code        ${report.functions} functions; ${report.globals.mutable} mutable and ${report.globals.immutable} constant globals`,
    `memory      ${memory === undefined ? "none" : `${memory.minimum} pages, most ${memory.maximum ?? "not stated"}`}`,
    `tables      ${report.tables.map(tableLine).join(", ") || "none"}`,
    `features    ${report.features.join(", ") || "none beyond version 1"}`,
    `imports     ${report.imports.length}`,
    ...report.imports.map(importLine),
    ...Object.entries(profiles).map(([profile, result]) => profileLine(profile, result, report.bytes)),
    `can move    ${moves.can ? `yes, in ${moves.where.join(", ")}` : "no"}`,
    ...moves.why.map((reason) => `            ${reason}`),
  ];
}

function tableLine({ element, minimum, maximum }: ModuleReport["tables"][number]): string {
  return `${minimum} to ${maximum ?? "any number of"} ${element}`;
}

function importLine({
  module,
  name,
  kind,
  type,
  offeredBy,
  suspends,
}: ModuleReport["imports"][number]): string {
  const notes = [offeredBy === "nobody" ? "nobody offers it" : "", suspends ? "may wait" : ""].filter(
    Boolean,
  );
  const about = notes.length === 0 ? "" : `, ${notes.join(", ")}`;
  return `  ${module}/${name}  ${kind === "function" ? (type ?? "") : kind}${about}`;
}

function profileLine(profile: string, result: ProfileResult, original: number): string {
  if ("refused" in result) return `${profile.padEnd(12)}refused: ${result.refused.message}`;
  return `${profile.padEnd(12)}${result.bytes} bytes, ${(result.bytes / original).toFixed(2)} times the original`;
}
