/**
 * Programs in realms of their own, for the sealed mode of `@glia-os/durable`: a realm has no clock, no randomness, no timers, no network and no
 * modules of the host, and its intrinsics are frozen.
 *
 * SS1. Every {@link SealedScript.load} is a fresh realm: nothing that one run leaves in variables or intrinsics is seen by the next.
 * SS2. A name through which a program could reach what no replay repeats refuses, by that name, when it is read. So does every export of a
 *      module of the host.
 *
 * It keeps a program from what would make its replay another run. It is no sandbox: an object that is handed in (the syscalls, the inputs) is of the
 * host's realm, and who means to can get from there to everything the process has. Not seen are transcendental functions of `Math`, whose
 * last digits belong to the engine, and the depth of the stack.
 */
import { constants, createContext, Script } from "node:vm";
import { createAmbientGuard, type SystemAmbientGuard } from "./ambient-guard.ts";
import { freezeIntrinsics, intrinsicsOf } from "./frozen-intrinsics.ts";
import { letBeRecognised, refuseAmbient, refusingModule, removeAmbient } from "./sealed-globals.ts";

/** What is sealed. */
export interface SealedScriptOptions {
  /** A CommonJS script. */
  readonly source: string;
  /** Its name in stack traces. */
  readonly file: string;
  /** Modules it may `require` as they are. Any other refuses whatever is taken from it. */
  readonly modules?: Readonly<Record<string, unknown>>;
}

/** A script and its guard. */
export interface SealedScript {
  /** Use it as the guard of the domains that run what {@link load} gives: it hears of uses, inside the realms and outside. */
  readonly guard: SystemAmbientGuard;
  /** Run the script in a fresh realm. Returns its `module.exports`. @throws what the script throws */
  load(): Readonly<Record<string, unknown>>;
}

type Main = (exports: object, require: (name: string) => unknown, module: { exports: object }) => void;

const HEAD = '(function (exports, require, module) { "use strict"; ';

/** Compile a script. @throws {SyntaxError} */
export function createSealedScript({ source, file, modules = {} }: SealedScriptOptions): SealedScript {
  const script = new Script(`${HEAD}${source}\n})`, { filename: file, columnOffset: -HEAD.length });
  const ambient = createAmbientGuard();
  let refusing: ((what: string) => never) | undefined;
  const refuse = (what: string): never => {
    if (refusing !== undefined) return refusing(what);
    throw new RangeError(`${what} was used outside of a turn`);
  };
  const require = (name: string): unknown =>
    Object.hasOwn(modules, name) ? modules[name] : refusingModule(name, refuse);
  return {
    guard: {
      during(turn, hear) {
        refusing = hear;
        try {
          return ambient.during(turn, hear);
        } finally {
          refusing = undefined;
        }
      },
      outside: (act) => ambient.outside(act),
    },
    load() {
      const realm = createContext(constants.DONT_CONTEXTIFY, {
        codeGeneration: { strings: false, wasm: false },
      });
      removeAmbient(realm as unknown as typeof globalThis);
      const intrinsics = intrinsicsOf(realm);
      refuseAmbient(realm as unknown as typeof globalThis, refuse);
      letBeRecognised(realm as unknown as typeof globalThis);
      freezeIntrinsics(realm, intrinsics);
      const module: { exports: object } = { exports: {} };
      (script.runInContext(realm) as Main)(module.exports, require, module);
      return module.exports as Readonly<Record<string, unknown>>;
    },
  };
}
