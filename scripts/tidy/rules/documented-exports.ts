/** Every declaration a package exports has a doc comment whose first sentence is complete. */
import ts from "typescript";
import { type PublicDeclaration, publicDeclarations } from "../entry-points.ts";
import type { Finding, Rule } from "../rule.ts";
import { lineOf } from "../tree.ts";

export const documentedExports: Rule = {
  name: "documented-exports",
  absolute: true,
  check(tree) {
    const units = tree.packages.filter(({ dir }) => /^(packages|apps)\//.test(dir));
    return units.flatMap((unit) =>
      groupByName(publicDeclarations(tree, unit)).flatMap((group) => judge(group, tree.parse)),
    );

    function judge(group: PublicDeclaration[], parse: (path: string) => ts.SourceFile): Finding[] {
      const [first] = group;
      if (first === undefined || group.some(({ node }) => isCompleteSentence(docOf(node)))) return [];
      const file = parse.call(tree, first.file);
      const line = lineOf(file, first.node.getStart(file));
      const missing = group.every(({ node }) => docOf(node) === "");
      const message = missing
        ? `export ${first.name} has no doc comment`
        : `the doc comment of ${first.name} starts with no sentence`;
      const fix = "start its /** comment with a sentence: a capital letter, two words or more, a full stop";
      return [{ file: first.file, line, message, fix }];
    }
  },
};

/** Overloads, and a type and a value of one name, count as one export: one of them is documented. */
function groupByName(declarations: readonly PublicDeclaration[]): PublicDeclaration[][] {
  return [...Map.groupBy(declarations, ({ name, file }) => `${file} ${name}`).values()];
}

function docOf(node: ts.Node): string {
  const docs = ts.getJSDocCommentsAndTags(node).filter((doc) => ts.isJSDoc(doc));
  return (ts.getTextOfJSDocComment(docs.at(-1)?.comment) ?? "").trim();
}

/** The first paragraph begins as a sentence, has two words or more and reaches a full stop, question mark or colon. */
export function isCompleteSentence(doc: string): boolean {
  const paragraph = (doc.split(/\n\s*\n|\n\s*[-*] |\n```/)[0] ?? "").replaceAll(/\s+/g, " ").trim();
  const sentence = /^.*?([.!?](?=["')\]`*]*(\s|$))|:$)/.exec(paragraph)?.[0];
  return sentence !== undefined && /^[^a-z]/.test(sentence) && sentence.split(" ").length >= 2;
}
