/** How the process ends; documented in docs/cli.md and in `glia --help`. */
export const EXIT = {
  ok: 0,
  /** Something was refused or failed; standard error says what and what to do. */
  failure: 1,
  /** The command line itself makes no sense. */
  usage: 2,
  /** Ctrl-C, SIGTERM or SIGHUP before the work was done. */
  interrupted: 130,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
