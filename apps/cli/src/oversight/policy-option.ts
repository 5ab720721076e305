/** The option `--oversight`: a mode, a policy as JSON, or a file that holds one. */
import { readFile } from "node:fs/promises";
import { checkedPolicy, OVERSIGHT_MODES, type OversightPolicy } from "@glia-os/durable";
import { UsageError } from "../errors.ts";

/** The policy of an option. @throws {UsageError} {BadPolicyError} */
export async function policyOption(text: string | undefined): Promise<OversightPolicy | undefined> {
  if (text === undefined) return undefined;
  const mode = OVERSIGHT_MODES.find((each) => each === text);
  if (mode !== undefined) return { mode };
  const json = text.trimStart().startsWith("{") ? text : await fileText(text);
  try {
    return checkedPolicy(JSON.parse(json));
  } catch (error) {
    if (error instanceof SyntaxError) throw unreadable(text, error);
    throw error;
  }
}

async function fileText(path: string): Promise<string> {
  return await readFile(path, "utf8").catch((error: unknown) => {
    throw unreadable(path, error);
  });
}

function unreadable(text: string, error: unknown): UsageError {
  return new UsageError(
    `--oversight ${text.slice(0, 60)} is no policy: ${(error as Error).message}`,
    `Give ${OVERSIGHT_MODES.join(", ")}, a policy as JSON, or the path of a file that holds one.`,
  );
}
