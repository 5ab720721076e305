/** The commands of `glia wasm`. */
import { type Command, Option } from "commander";
import { group, type Registrar } from "../registrar.ts";

/** Add `glia wasm` with its commands. */
export function addWasm(program: Command, register: Registrar): void {
  const wasm = group(program, "wasm", "Look at, run, stop and continue WebAssembly guests on this machine.");

  const inspect = register.leaf(
    wasm,
    "inspect <file>",
    "Say what a module is and asks for, how large it is in each profile, and whether its guests can move.",
    ["glia wasm inspect agent.wasm", "glia wasm inspect agent.wasm --no-sizes --json"],
  );
  inspect.option("--no-sizes", "do not instrument it to learn its size in each profile");
  register.runs(describe(inspect, "the module"), async () => (await import("./inspect.ts")).wasmInspect);

  const instrument = register.leaf(
    wasm,
    "instrument <file>",
    "Write the module that a node takes, from one as its compiler made it: for agent spawn, or to instrument once and run often.",
    [
      "glia wasm instrument sort.wasm",
      "glia wasm instrument report.wasm --profile cooperative --out agent.wasm",
    ],
  );
  describe(instrument, "the module")
    .addOption(profileOption("how its guests can be stopped"))
    .option("--out <file>", "where it goes (default: FILE.PROFILE.wasm)");
  register.runs(instrument, async () => (await import("./instrument.ts")).wasmInstrument);

  const run = register.leaf(
    wasm,
    "run <file> [args...]",
    "Run a module as a sandboxed guest: a WASI program, or one that imports glia.v1. To one that receives messages, every " +
      "line of standard input is a message, and its replies are printed.",
    [
      "glia wasm run sort.wasm -- 1000",
      "glia wasm run words.wasm --fuel 100000000 --memory 64 < text.txt",
      "glia wasm run report.wasm --file data/in.csv=./in.csv --env TZ=UTC --json",
    ],
  );
  const runArguments = ["the module", "arguments of the guest; after -- they may begin with -"];
  register.runs(
    startOptions(describe(run, ...runArguments)),
    async () => (await import("./run-guest.ts")).wasmRun,
  );

  const snapshot = register.leaf(
    wasm,
    "snapshot <file> [args...]",
    "Run a guest, stop it in the middle, and write its whole state to a file; the module it needs is written beside it. " +
      "It stops when it has used the fuel of --after, or else where it waits for a message and none is left.",
    [
      "glia wasm snapshot sort.wasm --after 5000000 --out state -- 1000",
      "glia wasm snapshot ledger.wasm --out state < first-half.txt",
    ],
  );
  register.runs(
    startOptions(
      afterOption(
        describe(snapshot, ...runArguments).requiredOption(
          "--out <file>",
          "where to write the state; the module goes to the same name with .wasm",
        ),
      ),
    ),
    async () => (await import("./run-guest.ts")).wasmSnapshot,
  );

  const restore = register.leaf(
    wasm,
    "restore <file>",
    "Go on with a guest from a snapshot, to its end or to the next snapshot.",
    ["glia wasm restore state", "glia wasm restore state --after 9000000 --out next"],
  );
  limitOptions(describe(restore, "the snapshot"))
    .option("--module <file>", "the instrumented module (default: the snapshot's name with .wasm)")
    .option("--out <file>", "write a snapshot again when it stops");
  register.runs(afterOption(restore), async () => (await import("./run-guest.ts")).wasmRestore);
}

function describe(command: Command, ...texts: string[]): Command {
  for (const [i, text] of texts.entries()) {
    const argument = command.registeredArguments[i];
    if (argument !== undefined) argument.description = text;
  }
  return command;
}

function startOptions(command: Command): Command {
  return limitOptions(command)
    .addOption(profileOption("instrumentation, when the module has none"))
    .option("--env <name=value>", "a variable of a WASI guest; may be given many times", collected)
    .option(
      "--file <path=file>",
      "a read-only file of a WASI guest, under /, and where it is; many times",
      collected,
    )
    .option("--seed <text>", "make the randomness of a WASI guest follow from this text alone");
}

function profileOption(text: string): Option {
  return new Option("--profile <profile>", text)
    .choices(["none", "cooperative", "metered", "preemptive"])
    .default("preemptive");
}

/** Options that may be given many times, one value each: a list would also take the arguments after it. */
function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function limitOptions(command: Command): Command {
  return command
    .option("--fuel <n>", "most fuel over the guest's whole life (profiles metered and preemptive)")
    .option("--memory <pages>", "most memory in pages of 64 KiB")
    .option(
      "--stdin <file>",
      "input from a file, - for standard input (default: standard input unless a terminal)",
    );
}

function afterOption(command: Command): Command {
  return command.option("--after <fuel>", "stop when so much fuel is used since the guest's first start");
}
