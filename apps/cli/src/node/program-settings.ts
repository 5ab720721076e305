/** Which programs a node runs outside the sandbox, as typed. */
import { resolve } from "node:path";
import type { ProgramSettings } from "@glia-os/daemon";

/** As typed. */
export interface ProgramOptions {
  readonly programs?: string;
}

/** The settings that `--programs uploaded` or `--programs FOLDER` stands for; undefined without it: none. */
export function programSettings({ programs }: ProgramOptions): ProgramSettings | undefined {
  if (programs === undefined || programs === "uploaded") return programs;
  return { folder: resolve(programs) };
}
