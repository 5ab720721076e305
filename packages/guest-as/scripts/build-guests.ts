/**
 * Compiles the guests with `asc` and instruments them: `assembly/guests/NAME.ts` becomes `dist/guests/NAME.wasm`.
 *
 * `node --conditions=@glia-os/source scripts/build-guests.ts [DIR [NAME...]]` writes to DIR instead of `dist/guests`, and only the
 * guests named.
 */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileGuest } from "./compile-guest.ts";

const root = join(import.meta.dirname, "..");
const [target = join(root, "dist", "guests"), ...names] = process.argv.slice(2);
mkdirSync(target, { recursive: true });
for (const file of readdirSync(join(root, "assembly", "guests"))) {
  const name = file.replace(/\.ts$/, "");
  if (names.length > 0 && !names.includes(name)) continue;
  const { bytes } = await compileGuest(join(root, "assembly", "guests", file));
  writeFileSync(join(target, `${name}.wasm`), bytes);
}
