/** What a new project holds: an agent, its test, a node's configuration and what each is for. */

/** File names and contents for a project of this name, with these packages' version. */
export function projectFiles(name: string, version: string): Readonly<Record<string, string>> {
  const manifest = {
    name,
    private: true,
    type: "module",
    scripts: {
      build: "glia agent build agent.ts",
      start: "glia up",
      test: "node --test",
      types: "tsc --noEmit",
    },
    dependencies: { "@glia-os/cells": `^${version}`, zod: "^4.0.0" },
    devDependencies: {
      "@glia-os/hal": `^${version}`,
      "@types/node": ">=24",
      esbuild: ">=0.25",
      glia: `^${version}`,
      typescript: ">=5.8",
    },
  };
  return {
    "agent.ts": agentFile(name),
    "agent.test.ts": TEST,
    "glia.config.ts": configFile(name),
    "package.json": json(manifest),
    "tsconfig.json": json({ compilerOptions: COMPILER, include: ["*.ts"] }),
    "pnpm-workspace.yaml": PNPM,
    ".gitignore": "node_modules/\n*.wasm\n*.wasm.map\n",
    "README.md": readme(name),
  };
}

/** Without a word on it pnpm ends an installation with an error; other package managers do not read the file. */
const PNPM = `# esbuild needs no script when it is installed.
allowBuilds:
  esbuild: false
`;

const COMPILER = {
  target: "ES2024",
  lib: ["ES2024"],
  module: "NodeNext",
  moduleResolution: "NodeNext",
  allowImportingTsExtensions: true,
  erasableSyntaxOnly: true,
  skipLibCheck: true,
  strict: true,
  types: ["node"],
  noEmit: true,
};

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function agentFile(name: string): string {
  return `/** Counts the words it is sent. */
import { agent } from "@glia-os/cells/agent";
import { number, string } from "zod/mini";

export default agent({
  name: "${name}",
  // The state of each agent: it moves with the agent.
  state: () => ({ counts: {} as Record<string, number> }),
  on: {
    // A message: what comes in is checked by \`input\`, what is returned goes back to whoever asks.
    count: {
      input: string(),
      handle(ctx, line) {
        const words = line.toLowerCase().match(/\\p{L}+/gu) ?? [];
        for (const word of words) ctx.state.counts[word] = (ctx.state.counts[word] ?? 0) + 1;
        return words.length;
      },
    },
    top: {
      input: number(),
      handle(ctx, most) {
        return Object.entries(ctx.state.counts)
          .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
          .slice(0, most);
      },
    },
  },
});
`;
}

const TEST = `import assert from "node:assert/strict";
import { test } from "node:test";
import { createLocalSystem } from "@glia-os/cells/agent";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import words from "./agent.ts";

// The same agent, in this thread: no node is needed.
test("counts words in any case, the most frequent first", async () => {
  const system = createLocalSystem({
    clock: createSystemClock(),
    random: createSystemRandom(),
    timers: createSystemTimers(),
  });
  const agent = await system.spawn(words);
  assert.equal(await system.ask(agent, "count", "The cat and the hat"), 5);
  assert.deepEqual(await system.ask(agent, "top", 2), [["the", 2], ["and", 1]]);
  // What does not fit the message's schema never reaches the agent.
  await assert.rejects(system.ask(agent, "count", 5 as never), { code: "agent.bad-message" });
  await system.close();
});
`;

function configFile(name: string): string {
  return `import { defineConfig } from "glia/config";

export default defineConfig({
  name: "hub",
  // Started with the node, and kept running.
  agents: [{ name: "${name}", file: "agent.ts" }],
});
`;
}

function readme(name: string): string {
  return `# ${name}

An agent for [Glia](https://www.npmjs.com/package/glia).

| file | what it is |
|---|---|
| \`agent.ts\` | the agent: its state and the messages it handles |
| \`agent.test.ts\` | its test, in one thread |
| \`glia.config.ts\` | the node that \`glia up\` starts |

\`\`\`sh
npm install
npm test
npx glia up                                        # a node with the agent; leave it running
npx glia agent ask ${name} count '"the cat and the hat"'   # in another terminal: 5
npx glia agent ask ${name} top 2
\`\`\`
`;
}
