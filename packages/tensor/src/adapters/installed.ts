/** Modules that a program may have installed for us to find. */
import { createRequire } from "node:module";
import { join } from "node:path";

/**
 * The module `name`, as this package sees it, or as the working folder of the process does: this package does not name it among those it needs, so
 * installers that keep packages apart do not show it.
 * @throws what the import throws
 */
export async function importInstalled(name: string): Promise<unknown> {
  try {
    return await import(name);
  } catch (cause) {
    try {
      return createRequire(join(process.cwd(), "package.json"))(name);
    } catch {
      throw cause;
    }
  }
}
