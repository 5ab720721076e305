/** Server-sent events (WHATWG HTML, section 9.2), of a body that has arrived whole: the JSON values in their data. */
import { BadAnswerError } from "./errors.ts";

const DONE = "[DONE]";

/** The values before `[DONE]`, or before the end. @throws {BadAnswerError} for data that is no JSON */
export function eventsOf(body: string): unknown[] {
  const values: unknown[] = [];
  for (const event of body.split(/\r\n\r\n|\n\n|\r\r/)) {
    const data = event
      .split(/\r\n|\n|\r/)
      .filter((line) => line.startsWith("data:"))
      .map((line) => line.slice("data:".length).replace(/^ /, ""))
      .join("\n");
    if (data === "") continue;
    if (data === DONE) return values;
    try {
      values.push(JSON.parse(data));
    } catch {
      throw new BadAnswerError("an event of the stream is no JSON");
    }
  }
  return values;
}
