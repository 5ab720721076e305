/**
 * Compiles the guests with `asc` and instruments them: `assembly/guests/NAME.ts` becomes `dist/guests/NAME.wasm`.
 *
 * `node --conditions=@glia-os/source scripts/build-guests.ts [DIR]` writes to DIR instead of `dist/guests`.
 */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileGuest } from "./compile-guest.ts";

const root = join(import.meta.dirname, "..");
const target = process.argv[2] ?? join(root, "dist", "guests");
mkdirSync(target, { recursive: true });
for (const file of readdirSync(join(root, "assembly", "guests"))) {
  if (!file.endsWith(".ts") || file.startsWith("_")) continue;
  const { bytes } = await compileGuest(join(root, "assembly", "guests", file));
  writeFileSync(join(target, file.replace(/\.ts$/, ".wasm")), bytes);
}
