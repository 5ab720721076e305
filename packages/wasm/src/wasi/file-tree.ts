/**
 * The read-only files of a WASI guest, as a tree.
 *
 * F1. Folders are those that files lie in. Names come in code unit order, so a listing is the same everywhere.
 * F2. A path never leads above the folder it starts from.
 */

/** What lies at a path. */
export type Node =
  | { readonly kind: "file"; readonly bytes: Uint8Array; readonly inode: bigint }
  | { readonly kind: "directory"; readonly names: readonly string[]; readonly inode: bigint };

/** A tree over files by path. */
export class FileTree {
  readonly #nodes = new Map<string, Node>();

  constructor(files: ReadonlyMap<string, Uint8Array>) {
    const folders = new Map<string, Set<string>>([["", new Set()]]);
    for (const path of files.keys()) {
      const names = path.split("/");
      for (let depth = 0; depth < names.length; depth++) {
        const folder = names.slice(0, depth).join("/");
        const inside = folders.get(folder) ?? new Set();
        inside.add(names[depth] as string);
        folders.set(folder, inside);
      }
    }
    let inode = 0n;
    for (const [path, names] of [...folders].sort(([a], [b]) => (a < b ? -1 : 1)))
      this.#nodes.set(path, { kind: "directory", names: [...names].sort(), inode: ++inode });
    for (const [path, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
      this.#nodes.set(path, { kind: "file", bytes, inode: ++inode });
  }

  /** What lies there. */
  at(path: string): Node | undefined {
    return this.#nodes.get(path);
  }

  /** `path` as seen from `folder`, without `.` and `..`; undefined when it leads above the folder (F2). */
  resolve(folder: string, path: string): string | undefined {
    const names: string[] = [];
    for (const name of path.split("/")) {
      if (name === "" || name === ".") continue;
      if (name !== "..") names.push(name);
      else if (names.pop() === undefined) return undefined;
    }
    return [...(folder === "" ? [] : [folder]), ...names].join("/");
  }
}
