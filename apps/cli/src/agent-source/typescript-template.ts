/** What `glia agent new --lang typescript` writes. */
import { packageVersion } from "../package-root.ts";

/** File names and contents for an agent of this name. */
export function typescriptFiles(name: string): Readonly<Record<string, string>> {
  const version = `^${packageVersion()}`;
  const manifest = {
    name,
    private: true,
    type: "module",
    scripts: { build: "glia agent build agent.ts", types: "tsc --noEmit" },
    devDependencies: { "@glia-os/guest-js": version, esbuild: ">=0.25", glia: version, typescript: ">=5.8" },
  };
  return {
    "agent.ts": AGENT,
    "package.json": `${JSON.stringify(manifest, undefined, 2)}\n`,
    "tsconfig.json": `${JSON.stringify({ compilerOptions: COMPILER }, undefined, 2)}\n`,
  };
}

const COMPILER = {
  target: "ES2023",
  lib: ["ES2023"],
  module: "ESNext",
  moduleResolution: "Bundler",
  strict: true,
  noEmit: true,
  types: [],
};

const AGENT = `/** Counts the words it is sent. Send it \`top\` to learn the most frequent. */
import { defineAgent, sys } from "@glia-os/guest-js";

defineAgent({
  state: () => new Map<string, number>(),
  start: () => void sys.log("info", "ready to count"),
  receive(message, counts) {
    const text = message.text();
    if (text === "top") return [...counts].sort((a, b) => b[1] - a[1]).slice(0, 10);
    for (const word of text.toLowerCase().match(/\\p{L}+/gu) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
    return { words: counts.size };
  },
});
`;
