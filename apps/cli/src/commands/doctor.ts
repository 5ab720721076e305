/**
 * `glia doctor`: what this machine is, and whether Glia runs on it.
 *
 * QD1. Every check says what it found and, when it fails, what to change; exit 1 if a check that matters fails.
 */
import { describeHardware, detectHardware } from "@glia-os/hal";
import type { Context } from "../context.ts";
import { runChecks } from "../doctor/checks.ts";
import { UnfitMachineError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { failureLine } from "../failure.ts";
import { gliaHome } from "../node/data-dir.ts";
import { parseHostPort } from "../node/host-port.ts";
import { readVersions } from "./version.ts";

/** Its options. */
export interface DoctorOptions {
  readonly bind: string;
  readonly data?: string;
}

/** Run it (QD1). */
export async function doctor({ bind, data }: DoctorOptions, { terminal }: Context): Promise<ExitCode> {
  const address = parseHostPort(bind);
  const hardware = await detectHardware();
  const checks = await runChecks({ hardware, bind: address, dataDir: data ?? gliaHome() });
  const versions = readVersions();
  const failed = checks.filter(({ ok }) => !ok);
  terminal.record({ ok: failed.length === 0, versions, checks, hardware });
  for (const { label, value, note } of describeHardware(hardware))
    terminal.line(
      `${label.padEnd(26)} ${value}${note === undefined ? "" : terminal.style("dim", `  ${note}`)}`,
    );
  terminal.line();
  for (const [name, value] of Object.entries(versions)) terminal.line(`${name.padEnd(26)} ${value}`);
  terminal.line();
  for (const { ok, name, found, fix } of checks) {
    const mark = ok ? terminal.style("green", "ok") : terminal.style("red", "no");
    terminal.line(`${mark}  ${name.padEnd(18)} ${found}${ok ? "" : `. ${fix}`}`);
  }
  if (failed.length === 0) return EXIT.ok;
  const error = new UnfitMachineError(failed.map(({ name, found }) => `${name}: ${found}`));
  terminal.note(`glia: ${failureLine(error)}`);
  return EXIT.failure;
}
