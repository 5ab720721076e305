/** What `glia agent new --lang assemblyscript` writes. */
import { packageVersion } from "../package-root.ts";

/** File names and contents for an agent of this name. */
export function assemblyscriptFiles(name: string): Readonly<Record<string, string>> {
  const version = `^${packageVersion()}`;
  const manifest = {
    name,
    private: true,
    type: "module",
    scripts: { build: "glia agent build agent.ts" },
    devDependencies: {
      "@glia-os/guest-as": version,
      assemblyscript: ">=0.28",
      binaryen: ">=132",
      glia: version,
    },
  };
  const compiler = { extends: "assemblyscript/std/assembly.json", include: ["*.ts"] };
  return {
    "agent.ts": AGENT,
    "package.json": `${JSON.stringify(manifest, undefined, 2)}\n`,
    "tsconfig.json": `${JSON.stringify(compiler, undefined, 2)}\n`,
  };
}

const AGENT = `/** Counts the words it is sent. Send it \`top\` to learn the most frequent. */
import { INFO, log, quote, receiveText, replyText } from "@glia-os/guest-as/assembly";

// Every variable is state: it moves with the agent, wherever it waits.
const counts = new Map<string, i32>();

export function glia_main(): i32 {
  log(INFO, "ready to count");
  while (true) {
    const text = receiveText();
    if (text == "top") {
      replyText(top(10));
      continue;
    }
    const words = text.toLowerCase().split(" ");
    for (let at = 0; at < words.length; at++) {
      const word = words[at];
      if (word.length > 0) counts.set(word, (counts.has(word) ? counts.get(word) : 0) + 1);
    }
    replyText('{"words":' + counts.size.toString() + "}");
  }
}

/** The most frequent words as JSON: pairs of word and count. */
function top(most: i32): string {
  const words = counts.keys();
  words.sort((a, b) => counts.get(b) - counts.get(a));
  const pairs: string[] = [];
  for (let at = 0; at < min(most, words.length); at++)
    pairs.push("[" + quote(words[at]) + "," + counts.get(words[at]).toString() + "]");
  return "[" + pairs.join(",") + "]";
}
`;
