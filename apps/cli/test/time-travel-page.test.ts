/** docs/time-travel.md as a session: its program is run, and what the page shows is what the commands print. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KIND, loggedRecords } from "@glia-os/durable";
import { openJournalReader } from "@glia-os/store/journal-reader";
import { afterAll, expect, it } from "vitest";
import { Programs } from "./programs.ts";

const page = readFileSync(fileURLToPath(new URL("../../../docs/time-travel.md", import.meta.url)), "utf8");
const programs = new Programs();
afterAll(() => programs.clear());

/** The commands of the page's sessions, each with what is printed after it. */
const steps: readonly { readonly command: string; readonly printed: string }[] = [
  ...page.matchAll(/```console\n(.*?)```/gs),
].flatMap(([, session]) =>
  (session as string)
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const end = step.indexOf("\n");
      return { command: step.slice(0, end), printed: step.slice(end + 1) };
    }),
);

/** The arguments of a command, with quotes of the shell taken off. */
function argumentsOf(command: string): readonly string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].slice(1).map(([, quoted, plain]) => quoted ?? plain ?? "");
}

/** The number of the first answer in a journal. */
async function firstAnswer(): Promise<string> {
  const reader = openJournalReader(join(programs.folder, "j"));
  const records = await Array.fromAsync(loggedRecords(reader, "order/17"));
  await reader.close();
  return String(records.find(({ row }) => row.kind === KIND.resume)?.seq);
}

const known: Record<string, string> = {};

/** A command with what is known by now in place of the page's names. */
const filled = (text: string): string => text.replaceAll(/\b(?:STOCK|ID)\b/g, (name) => known[name] ?? name);

/** What differs from run to run, by the page's names. */
const FORMS: Record<string, string> = {
  NUMBER: "\\d+",
  HASH: "[0-9a-f]{64}",
  ID: "[0-9a-f]+",
  PLACE: "\\S*",
};

/** What a command is to print. */
function pattern(printed: string): RegExp {
  const text = printed.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  return new RegExp(`^${text.replaceAll(/\b[A-Z]{2,}\b/g, (name) => FORMS[name] ?? known[name] ?? name)}`);
}

it("the session of the page prints what the page shows", async () => {
  programs.write("order.mjs", /```js\n(.*?)```/s.exec(page)?.[1] ?? "");
  expect(steps.length).toBe(8);
  for (const { command, printed } of steps) {
    const run = programs.start(argumentsOf(filled(command)));
    if (printed.endsWith("^C\n")) {
      await run.until("stderr", /glia approve/);
      run.child.kill("SIGKILL");
    }
    const { stdout, stderr } = await run.result;
    expect(stderr + stdout).toMatch(pattern(printed.replace("^C\n", "")));
    known["ID"] ??= /glia approve j ([0-9a-f]+)/.exec(stderr)?.[1] as string;
    known["STOCK"] ??= await firstAnswer();
  }
});
