/** isolated-vm: a V8 isolate of its own for each piece of code, in the calling thread. */
import ivm from "isolated-vm";
import type { Contestant } from "../src/suite.ts";

/** The least the package accepts, in MiB. */
const MEMORY_MIB = 8;

/** An isolate and a context are made, a function is called once, and both are disposed of. */
export function isolateSpawn(): Contestant {
  return {
    run: (times) => {
      for (let left = times; left > 0; left--) {
        const isolate = new ivm.Isolate({ memoryLimit: MEMORY_MIB });
        isolate.createContextSync().evalSync("(function echo(text) { return text; })('12345678')");
        isolate.dispose();
      }
    },
  };
}

/** A message of `bytes` copied in to a function of an isolate, and its answer copied out. */
export function isolateMessage(bytes: number): Contestant {
  const isolate = new ivm.Isolate({ memoryLimit: MEMORY_MIB });
  const context = isolate.createContextSync();
  const echo = context.evalSync("(function echo(message) { return message; })", { reference: true });
  const message = new Uint8Array(bytes).fill(7).buffer;
  const options = { arguments: { copy: true }, result: { copy: true } } as const;
  return {
    run: (times) => {
      for (let left = times; left > 0; left--) echo.applySync(undefined, [message], options);
    },
    close: () => isolate.dispose(),
  };
}
