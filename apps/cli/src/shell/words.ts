/**
 * A line of the shell as words, by the quoting rules people know from sh: blanks separate, `'...'` keeps all as it is, `"..."` all but `\"` and `\\`,
 * a backslash outside keeps the next character, `#` at the beginning of a word begins a comment. Nothing is expanded.
 */

/** The words of a line; or what is missing at its end. */
export type Words =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "unfinished"; readonly quote: string };

/** Split a line. O(its length). */
export function wordsOf(line: string): Words {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const character = line[at] as string;
    if (character === "'" || character === '"') {
      const quoted = quotedFrom(line, at + 1, character);
      if (quoted === undefined) return { kind: "unfinished", quote: character };
      word = (word ?? "") + quoted.text;
      at = quoted.end;
    } else if (character === "\\") {
      at += 1;
      if (at === line.length) return { kind: "unfinished", quote: "\\" };
      word = (word ?? "") + (line[at] as string);
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "#" && word === undefined) break;
    else word = (word ?? "") + character;
  }
  if (word !== undefined) words.push(word);
  return { kind: "words", words };
}

function quotedFrom(
  line: string,
  from: number,
  quote: string,
): { readonly text: string; readonly end: number } | undefined {
  let text = "";
  for (let at = from; at < line.length; at++) {
    const character = line[at] as string;
    if (character === quote) return { text, end: at };
    const next = line[at + 1];
    const escaped = quote === '"' && character === "\\" && (next === '"' || next === "\\");
    if (escaped) at += 1;
    text += escaped ? (next as string) : character;
  }
  return undefined;
}
