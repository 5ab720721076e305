/** Codes of the `guest` namespace (package `guest-js`): building and running agents in TypeScript and JavaScript. */
export const GUEST_CODES = {
  "guest.agent-failed": {
    retryable: false,
    changed: "Nothing: no module was made.",
    fix: "Fix the agent: the message names the error and its place in the source.",
  },
  "guest.agent-too-big": {
    retryable: false,
    changed: "Nothing: no module was made.",
    fix: "Bundle less: the limit on an agent's code is 16 MiB.",
  },
  "guest.build-limit": {
    retryable: false,
    changed: "Nothing: no module was made.",
    fix: 'Do less at the top of the program, or build it with `start: "spawn"` so that it does it when it runs.',
  },
  "guest.bundle-failed": {
    retryable: false,
    changed: "Nothing: no module was made.",
    fix: "Fix the source: the message lists what the bundler refused and where. Node's own modules are not there inside a guest.",
  },
  "guest.compile-failed": {
    retryable: false,
    changed: "Nothing: no module was made.",
    fix: "Fix the source: the message is what the compiler of AssemblyScript said, with file, line and column.",
  },
  "guest.compiler-missing": {
    retryable: false,
    changed: "Nothing: no module was made.",
    fix: "Install the optional peer dependency with `npm install assemblyscript`.",
  },
  "guest.engine-mismatch": {
    retryable: false,
    changed: "Nothing: no module was made.",
    fix: "Use the engine that this version of @glia-os/guest-js ships as `engine.wasm`.",
  },
  "guest.engine-missing": {
    retryable: false,
    changed: "Nothing: no module was made.",
    fix: "Install the package again, or in the repository run `pnpm build` in packages/guest-js.",
  },
  "guest.esbuild-missing": {
    retryable: false,
    changed: "Nothing: no module was made.",
    fix: "Install the optional peer dependency with `npm install esbuild`, or bundle the agent yourself and use `buildScript`.",
  },
  "guest.no-golden-state": {
    retryable: false,
    changed: "Nothing.",
    fix: "Freeze agents of this module whole, without a base.",
  },
  "guest.run-state": {
    retryable: false,
    changed: "Nothing: the agent is as it was.",
    fix: "Look at `state` first: a run that has ended or was handed over takes no more messages.",
  },
} as const;
