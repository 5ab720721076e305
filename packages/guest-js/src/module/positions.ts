/** Turns positions in the bundle, as errors of a guest carry them, into positions in the agent's own sources. */
import { SourceMap } from "node:module";

const POSITION = /\bagent\.js:(\d+):(\d+)/g;

/** A function that rewrites every `agent.js:LINE:COLUMN` of a text by a source map (`AgentModule.map`). */
export function positionMapper(map: string): (text: string) => string {
  const sources = new SourceMap(JSON.parse(map));
  return (text) =>
    text.replace(POSITION, (whole, line: string, column: string) => {
      const found = sources.findEntry(Number(line) - 1, Number(column) - 1);
      if (!("originalSource" in found) || found.originalSource === undefined) return whole;
      const name = found.originalSource.replace(/^agent:/, "");
      return `${name}:${found.originalLine + 1}:${found.originalColumn + 1}`;
    });
}
