/** What a program asks for in place of what it took from its surroundings. */

const INSTEAD: readonly (readonly [what: RegExp, instead: string])[] = [
  [/^(?:Date\.now|new Date\(\)|Date\(\)|performance)/, "sys.now()"],
  [/^new Date\(year/, "Date.UTC(year, month, ...)"],
  [/text without a time zone/, "a text with Z or an offset"],
  [/^Date\.prototype\.set/, "the setUTC methods"],
  [/^Date\.prototype\.(?:get|to)/, "the UTC methods and toISOString()"],
  [/^(?:Math\.random|crypto)/, "sys.random(bytes)"],
  [/^(?:setTimeout|setInterval|setImmediate|clear|queueMicrotask)/, "sys.sleep(ms), or sys.spawn(...)"],
  [/^(?:fetch|WebSocket|EventSource|XMLHttpRequest)/, "sys.fetch(http, request)"],
  [/^console/, "sys.log(level, message)"],
  [/^(?:node:)?fs\b/, "sys.file(files, operation)"],
  [/^(?:node:)?child_process\b/, "sys.exec(tool, input)"],
  [/^(?:process|node:)/, "the input of the program, or a service"],
];

/** The syscall that does it in a way that can be replayed; undefined where there is none. */
export function insteadOf(what: string): string | undefined {
  return INSTEAD.find(([pattern]) => pattern.test(what))?.[1];
}
