/** Where a task stands in its domain, as records have it and as the kernel writes it. */
import type { TaskPath } from "./record.ts";

const ROOT_PATH = "/0";
const NO_PATH: TaskPath = [];

/** A path of the kernel as records have it. */
export function pathOf(text: string): TaskPath {
  if (text === ROOT_PATH) return NO_PATH;
  return text.split("/").slice(2).map(Number);
}

/** A path of a record as the kernel writes it. */
export function textOf(path: TaskPath): string {
  if (path.length === 0) return ROOT_PATH;
  return [ROOT_PATH, ...path].join("/");
}
