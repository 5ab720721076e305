/** Plain columns: two spaces between, the last one not padded. Widths count code points; names here are short and plain. */

/** How a column is set. */
export type Align = "left" | "right";

/** The lines of a table, head first. Every row has as many cells as the head. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  aligns: readonly Align[] = [],
): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => [...(row[column] ?? "")].length)));
  return all.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, aligns[column] ?? "left"))
      .join("  ")
      .trimEnd(),
  );
}

function pad(cell: string, width: number, align: Align): string {
  const fill = " ".repeat(Math.max(0, width - [...cell].length));
  return align === "right" ? fill + cell : cell + fill;
}
