/** Nine scripts that use the language in different ways, each some tens of milliseconds of interpreter time. `result` is what they compute. */
export const SCRIPTS: Readonly<Record<string, string>> = {
  fib: "const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2)); result = fib(23);",
  loop: "let s = 0; for (let i = 0; i < 600000; i++) s = (s * 31 + i) | 0; result = s;",
  string:
    "let t = ''; for (let i = 0; i < 60000; i++) { t += String.fromCharCode(97 + (i % 26)); if (t.length > 1000) t = t.slice(500); } result = t.length;",
  json: "const o = Array.from({ length: 200 }, (_, i) => ({ id: i, name: 'n' + i, tags: [i, i + 1], deep: { a: { b: i } } })); let n = 0; for (let i = 0; i < 15; i++) n += JSON.stringify(JSON.parse(JSON.stringify(o))).length; result = n;",
  regex:
    "let m = 0; const text = 'the quick brown fox jumps over 12 lazy dogs and 345 cats '.repeat(40); for (let i = 0; i < 12; i++) m += [...text.matchAll(/(\\w+)\\s(\\d+)/g)].length + text.replace(/o(\\w)/g, '$1').length; result = m;",
  map: "const m = new Map(); for (let i = 0; i < 60000; i++) m.set(i % 5000, (m.get(i % 5000) ?? 0) + i); let s = 0; for (const [k, v] of m) s = (s + k * v) % 1000003; result = s;",
  objects:
    "class P { #x; constructor(x) { this.#x = x; } get x() { return this.#x; } add(o) { return new P((this.#x + o.x) % 10007); } } let p = new P(1); for (let i = 0; i < 40000; i++) p = p.add(new P(i)); result = p.x;",
  sort: "const a = Array.from({ length: 12000 }, (_, i) => (i * 7919) % 10007); a.sort((x, y) => x - y); result = a[5000];",
  async:
    "let k = 0; const step = async (i) => { await null; k += i; }; for (let i = 0; i < 15000; i++) await step(i); result = k;",
};

/** A script that stands alone: a module with top-level await, without imports. */
export function standalone(name: string): string {
  return `let result;\n${SCRIPTS[name]}\nglobalThis.result = result;`;
}
