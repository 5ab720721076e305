/** The documents of a folder as passages, each short enough to be about one thing. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A piece of a document. */
export interface Passage {
  /** Path below the folder. */
  readonly file: string;
  /** Its first line, from 1. */
  readonly line: number;
  readonly text: string;
}

/** Most characters of a passage, unless one paragraph alone is longer. */
const MOST_CHARACTERS = 700;

/** Passages of all .md and .txt files below a folder, in order of path. */
export function passagesBelow(folder: string): Passage[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => /\.(md|txt)$/.test(file))
    .sort()
    .flatMap((file) => passagesOf(file, readFileSync(join(folder, file), "utf8")));
}

/** Passages of one document: paragraphs, joined while they are short. */
export function passagesOf(file: string, text: string): Passage[] {
  const passages: Passage[] = [];
  let line = 1;
  let from = 1;
  let held = "";
  const close = () => {
    if (held.trim() !== "") passages.push({ file, line: from, text: held.trim() });
    held = "";
  };
  for (const paragraph of text.split("\n\n")) {
    if (held.length + paragraph.length > MOST_CHARACTERS) close();
    if (held === "") from = line;
    held += `${paragraph}\n\n`;
    line += paragraph.split("\n").length + 1;
  }
  close();
  return passages;
}
