/** Where a join line comes from: the argument itself, a file, or standard input. */
import { existsSync } from "node:fs";
import { JoinLineMissingError } from "../errors.ts";
import { readBounded, readFirstLine } from "./first-line.ts";

/** Join lines are some hundred characters; nothing near this is one. */
const LINE_LIMIT = 16 * 1024;

/**
 * The join line that `source` stands for: `-` reads the first line of standard input, an existing path the first line of that
 * file, anything else is the line itself. What it says is checked by the node that joins.
 */
export async function readJoinLine(source: string, stdin: NodeJS.ReadStream): Promise<string> {
  if (source === "-") {
    const line = await readFirstLine(stdin, LINE_LIMIT);
    if (line === undefined) throw new JoinLineMissingError("standard input");
    return line;
  }
  if (!existsSync(source)) return source.trim();
  const line = firstLineOf(source);
  if (line === undefined) throw new JoinLineMissingError(source);
  return line;
}

function firstLineOf(path: string): string | undefined {
  try {
    const text = new TextDecoder().decode(readBounded(path, LINE_LIMIT));
    return text
      .split("\n")
      .map((line) => line.trim())
      .find((line) => line !== "");
  } catch (cause) {
    throw new JoinLineMissingError(path, cause);
  }
}
