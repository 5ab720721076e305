/** Completion scripts, run by the shells that are installed here. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "./run-cli.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-completion-"));
const has = (shell: string): boolean => spawnSync(shell, ["-c", "true"]).status === 0;
const scripts = new Map<string, string>();

beforeAll(async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, stdout } = await runCli(["completion", shell]);
    expect(code).toBe(0);
    const file = join(scratch, shell);
    writeFileSync(file, stdout);
    scripts.set(shell, file);
  }
}, 60_000);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What bash offers for words of which the last is begun. */
function bash(...words: string[]): readonly string[] {
  const program = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _glia; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const text = execFileSync("bash", ["-c", program, scripts.get("bash") ?? "", "glia", ...words], {
    encoding: "utf8",
  });
  return text.split("\n").filter((word) => word !== "");
}

describe("completion in bash", () => {
  it("offers commands, those of a group, options where a dash was typed, and the words an option is limited to", () => {
    expect(bash("")).toEqual(expect.arrayContaining(["up", "mesh", "agent", "config", "completion"]));
    expect(bash("me")).toEqual(["mesh"]);
    expect(bash("mesh", "st")).toEqual(["start", "status"]);
    expect(bash("mesh", "start", "--prof")).toEqual(["--profile"]);
    expect(bash("up", "--role", "")).toEqual(["edge", "relay", "core"]);
    expect(bash("up", "--log-format", "j")).toEqual(["json"]);
  });

  it("offers nothing of its own, so files, for arguments and for values that can be anything", () => {
    expect(bash("run", "x")).toEqual([]);
    expect(bash("up", "--config", "")).toEqual([]);
  });

  it("is not led astray by the values of options and by rubbish", () => {
    expect(bash("up", "--name", "hub", "--ro")).toEqual(["--role"]);
    expect(bash("nonsense", "mesh", "lea")).toEqual(["leave"]);
    expect(bash("$(touch x)", "`id`", "--x")).toEqual([]);
  });
});

describe("completion in other shells", () => {
  it("is a script that zsh reads without fault", ({ skip }) => {
    skip(!has("zsh"), "zsh is not installed: its completion was not read");
    execFileSync("zsh", ["-n", scripts.get("zsh") ?? ""]);
  });

  it("offers in fish what it offers in bash", ({ skip }) => {
    skip(!has("fish"), "fish is not installed: its completion was not run");
    const offers = (line: string): readonly string[] =>
      execFileSync(
        "fish",
        ["--no-config", "-c", `source ${scripts.get("fish")}; complete -C ${JSON.stringify(line)}`],
        {
          encoding: "utf8",
        },
      )
        .split("\n")
        .map((each) => each.split("\t")[0] ?? "")
        .filter((word) => word !== "");
    expect(offers("glia me")).toEqual(["mesh"]);
    expect(offers("glia mesh st").toSorted()).toEqual(["start", "status"]);
    expect(offers("glia up --role ").toSorted()).toEqual(["core", "edge", "relay"]);
  });

  it("is refused for a shell that is not known, with those that are", async () => {
    const { code, stderr } = await runCli(["completion", "tcsh"]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/bash, zsh, fish/)]);
  });
});
