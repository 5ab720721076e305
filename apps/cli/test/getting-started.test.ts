/** The commands of docs/getting-started.md, word for word, by a shell; the packages of this repository stand in for what npm would download. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cliMain } from "./run-cli.ts";

const base = mkdtempSync(join(tmpdir(), "glia-getting-started-"));
const bin = join(base, "bin");
const root = join(import.meta.dirname, "../../..");
const node = `"${process.execPath}" --conditions=@glia-os/source`;
const background: ChildProcess[] = [];

interface Block {
  readonly waits: boolean;
  readonly commands: string;
  /** What the commands print, line by line. */
  readonly prints: readonly string[];
}

beforeAll(() => {
  mkdirSync(bin);
  const script = (name: string, text: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  script("glia", `exec ${node} "${cliMain}" "$@"`);
  script("npx", `exec "$@"`);
  script(
    "npm",
    `case "$1" in
    create) shift 2; exec ${node} "${join(root, "packages/create-glia/src/main.ts")}" "$@" ;;
    install) mkdir -p node_modules/@glia-os && ln -s "${root}/packages/cells" "${root}/packages/hal" node_modules/@glia-os/ \
      && ln -s "${root}/apps/cli" node_modules/glia && ln -s "${root}/apps/cli/node_modules/zod" node_modules/zod ;;
    test) exec ${node} --test ;;
    esac`,
  );
});
afterAll(async () => {
  await Promise.all(
    background.reverse().map((child) => {
      const closed = new Promise((resolve) => child.once("close", resolve));
      if (child.exitCode === null) process.kill(-(child.pid as number), "SIGTERM");
      else return undefined;
      return closed;
    }),
  );
  rmSync(base, { recursive: true, force: true });
});

function blocks(): readonly Block[] {
  const text = readFileSync(join(root, "docs/getting-started.md"), "utf8");
  return [...text.matchAll(/^```sh( background)?\n(.*?)^```$/gms)].map(([, waits, body = ""]) => {
    const lines = body.split("\n").filter((line) => line !== "");
    return {
      waits: waits === undefined,
      commands: lines.filter((line) => !line.startsWith("# =>")).join("\n"),
      prints: lines.filter((line) => line.startsWith("# => ")).map((line) => line.slice(5)),
    };
  });
}

/** A shell in the folder where the last one left off. */
function shell(commands: string): ChildProcess {
  const where = join(base, "where");
  const script = `set -e; cd "$(cat '${where}' 2>/dev/null || echo '${base}')"\n${commands}\npwd > '${where}'`;
  return spawn("bash", ["-c", script], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    env: {
      ...process.env,
      NODE_OPTIONS: "",
      PATH: `${bin}:${process.env["PATH"]}`,
      GLIA_HOME: join(base, "home"),
    },
  });
}

function output(child: ChildProcess, enough: (seen: string) => boolean): Promise<string> {
  let seen = "";
  return new Promise((resolve, reject) => {
    const take = (text: Buffer): void => {
      seen += text.toString();
      if (enough(seen)) resolve(seen);
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    child.once("close", (code) => (code === 0 ? resolve(seen) : reject(new RangeError(`${code}: ${seen}`))));
  });
}

test("a newcomer who types what docs/getting-started.md says has an agent that was tested, runs on a node, and goes on counting on a second one", async () => {
  for (const { waits, commands, prints } of blocks()) {
    const child = shell(commands);
    if (!waits) background.push(child);
    const seen = await output(child, (text) => !waits && text.includes("running; Ctrl-C stops it"));
    for (const line of prints) expect(seen.split("\n"), commands).toContain(line);
  }
  expect(background).toHaveLength(2);
  const wrong = shell("glia agent ask words count 5 --name hub --json || true");
  const refusal = JSON.parse((await output(wrong, () => false)).split("\n")[0] ?? "") as object;
  expect(refusal).toMatchObject({ ok: false, error: { code: "agent.bad-message" } });
}, 120_000);
