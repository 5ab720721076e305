/** The fields of a configuration as a table of Markdown, made of their shape: docs/config.md contains it, and a test keeps them equal. */
import { CONFIG_SHAPE } from "./config-shape.ts";
import { CONFIG_VARIABLES } from "./environment.ts";
import type { Field, Shape } from "./shape.ts";

/** The table. */
export function configTable(): string {
  const head = "| field | value | variable | a running node takes it |\n|---|---|---|---|\n";
  return head + rowsOf(CONFIG_SHAPE.fields, "").join("");
}

function rowsOf(fields: Readonly<Record<string, Field>>, above: string): string[] {
  return Object.entries(fields).flatMap(([key, field]) => {
    const path = above === "" ? key : `${above}.${key}`;
    const { shape } = field;
    if (shape.kind === "record") return rowsOf(shape.fields, path);
    const own = `| \`${path}\` | ${field.says}: ${described(shape)} | ${variableOf(path)} | ${field.live === true ? "yes" : "no"} |\n`;
    return shape.kind === "list" && shape.of.kind === "record"
      ? [own, ...rowsOf(shape.of.fields, `${path}[]`)]
      : [own];
  });
}

function variableOf(path: string): string {
  const found = CONFIG_VARIABLES.find((variable) => variable.path.join(".") === path);
  return found === undefined ? "-" : `\`${found.name}\``;
}

function described(shape: Shape): string {
  switch (shape.kind) {
    case "text":
      return shape.is;
    case "choice":
      return shape.of.map((word) => `\`${word}\``).join(", ");
    case "number":
      return `${shape.min} to ${shape.max}${shape.unit === undefined ? "" : ` ${shape.unit}`}`;
    case "flag":
      return "`true` or `false`";
    case "list":
      return shape.of.kind === "record"
        ? `at most ${shape.max}`
        : `at most ${shape.max}, each ${described(shape.of)}`;
    case "record":
      return "an object";
  }
}
