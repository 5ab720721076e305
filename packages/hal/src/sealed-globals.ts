/**
 * What a sealed realm refuses, and what it gets instead.
 *
 * SG1. A refusal happens where the name is read, also by `typeof`: a program that asks whether there is a clock may already do something else.
 * SG2. `Date` is arithmetic: of numbers and of texts with a time zone. What depends on the time zone or the language of the process is refused.
 */

type Refuse = (what: string) => never;
type Realm = typeof globalThis;

/** Names of hosts, and of the language where what they do depends on the engine's memory, on other threads or on the language of people. */
const REFUSED: readonly string[] = [
  ...["process", "Buffer", "require", "global", "console", "performance", "crypto", "navigator"],
  ...["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"],
  ...[
    "queueMicrotask",
    "fetch",
    "WebSocket",
    "EventSource",
    "XMLHttpRequest",
    "localStorage",
    "sessionStorage",
  ],
  ...["Temporal", "BroadcastChannel", "MessageChannel", "Worker", "WebAssembly", "Intl"],
  ...["WeakRef", "FinalizationRegistry", "SharedArrayBuffer", "Atomics"],
];

/** Methods that depend on the time zone or the language. */
const LOCAL: Readonly<Record<string, RegExp>> = {
  Date: /^(?:[gs]et(?!Time$|UTC)|to(?:String|DateString|TimeString|Locale\w*)$)/,
  String: /^(?:localeCompare|toLocale\w*)$/,
  Number: /^toLocaleString$/,
  BigInt: /^toLocaleString$/,
  Array: /^toLocaleString$/,
};

/** Functions of the host that any two runs answer alike. */
const GIVEN = [
  "TextEncoder",
  "TextDecoder",
  "URL",
  "URLSearchParams",
  "atob",
  "btoa",
  "structuredClone",
] as const;

/** Types whose values the host recognises by `instanceof`: errors, and bytes. */
const SHARED = ["Error", "Uint8Array"] as const;

/** Let the host recognise values of a realm. */
export function letBeRecognised(realm: Realm): void {
  for (const name of SHARED) Object.setPrototypeOf(realm[name].prototype, globalThis[name].prototype);
}

/** Take out of a new realm what it is not to have. */
export function removeAmbient(realm: Realm): void {
  for (const name of REFUSED) Reflect.deleteProperty(realm, name);
}

/** Replace in a realm what no replay repeats. */
export function refuseAmbient(realm: Realm, refuse: Refuse): void {
  for (const name of REFUSED) {
    const get = (): never => refuse(name);
    Object.defineProperty(realm, name, { get, configurable: false, enumerable: false });
  }
  for (const name of GIVEN) define(realm, name, globalThis[name]);
  for (const [name, pattern] of Object.entries(LOCAL)) {
    const { prototype } = (realm as unknown as Record<string, { readonly prototype: object }>)[name] as {
      readonly prototype: object;
    };
    for (const method of Object.getOwnPropertyNames(prototype))
      if (pattern.test(method)) define(prototype, method, () => refuse(`${name}.prototype.${method}`));
  }
  define(realm.Math, "random", () => refuse("Math.random"));
  define(realm, "Date", sealedDate(realm, refuse));
}

function define(owner: object, name: string, value: unknown): void {
  Object.defineProperty(owner, name, { value, writable: true, configurable: true, enumerable: false });
}

/** A day, or a moment with its offset from UTC (ECMA-262, "Date Time String Format"). */
const WITH_ZONE = /^[+-]?\d{4,6}(?:-\d\d(?:-\d\d)?)?(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/;

function sealedDate(realm: Realm, refuse: Refuse): DateConstructor {
  const { Date: real } = realm;
  const checked = (args: readonly unknown[]): void => {
    const [first] = args;
    if (args.length === 0) refuse("new Date()");
    if (args.length > 1) refuse("new Date(year, month, ...)");
    if (typeof first === "string" && !WITH_ZONE.test(first)) refuse("new Date(text without a time zone)");
  };
  const sealed = new Proxy(real, {
    apply: () => refuse("Date()"),
    construct: (target, args: readonly unknown[], newTarget) => {
      checked(args);
      return Reflect.construct(target, args, newTarget) as object;
    },
  });
  define(real, "now", () => refuse("Date.now"));
  const parse = real.parse.bind(real);
  define(real, "parse", (text: string) => {
    if (!WITH_ZONE.test(String(text))) refuse("Date.parse(text without a time zone)");
    return parse(text);
  });
  define(real.prototype, "constructor", sealed);
  return sealed;
}

/** A module of the host that refuses whatever is taken from it, also through the helpers of bundlers. */
export function refusingModule(name: string, refuse: Refuse): unknown {
  const module: unknown = new Proxy(Object.create(null) as object, {
    get: (_target, key) => {
      if (key === "__esModule") return true;
      return typeof key === "symbol" ? undefined : refuse(`${name}.${key}`);
    },
    // Bundlers make an object that inherits from a module.
    getPrototypeOf: () => module as object,
  });
  return module;
}
