/** Options of `glia agent build`, for both languages. */
import type { StartAt } from "@glia-os/guest-js/build";

/** Its options. */
export interface AgentBuildOptions {
  readonly out?: string;
  readonly start: StartAt | "auto";
  readonly minify?: boolean;
  readonly lang: "auto" | "typescript" | "assemblyscript";
  readonly profile: "cooperative" | "metered" | "preemptive";
}
