import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { cliDoc } from "../scripts/cli-doc.ts";
import { runCli } from "./run-cli.ts";

const page = readFileSync(fileURLToPath(new URL("../../../docs/cli.md", import.meta.url)), "utf8");

describe("docs/cli.md", () => {
  it("is what the program's help prints; run scripts/print-cli-doc.ts after a change", () => {
    expect(page).toBe(cliDoc());
  });

  it("shows what the real command prints", async () => {
    const { stdout } = await runCli(["agent", "send", "--help"]);
    expect(page).toContain(stdout.trim());
  });

  it("documents every exit code", () => {
    for (const code of [0, 1, 2, 130]) expect(page).toMatch(new RegExp(`^\\| ${code} \\| \\w`, "m"));
  });
});
