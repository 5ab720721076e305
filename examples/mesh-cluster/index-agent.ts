/** The agent: it counts the words of the lines it is sent, one message for each line. Asked `report`, it tells what it has. */
import { defineAgent } from "@glia-os/guest-js";

interface Index {
  lines: number;
  readonly words: Map<string, number>;
}

defineAgent<Index>({
  state: () => ({ lines: 0, words: new Map() }),
  receive(message, index) {
    const text = message.text();
    if (text === "report") {
      const total = [...index.words.values()].reduce((sum, count) => sum + count, 0);
      return { lines: index.lines, words: total, distinct: index.words.size };
    }
    index.lines += 1;
    for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? [])
      index.words.set(word, (index.words.get(word) ?? 0) + 1);
    return undefined;
  },
});
