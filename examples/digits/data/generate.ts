/**
 * Draws the digits of `digits.bin`: `node --conditions=@glia-os/source data/generate.ts`. They are SYNTHETIC: ten glyphs drawn for this example, each image
 * turned, sheared, scaled, moved, thickened and overlaid with noise at random from a fixed seed. Nobody's handwriting is in it.
 */
import { writeFileSync } from "node:fs";
import { SeededRandom } from "@glia-os/abi/testing";
import { COUNT, encodeDigits, SIDE } from "../digits.ts";

/** Five by seven, row by row. */
const GLYPHS = [
  ".###. #...# #...# #...# #...# #...# .###.",
  "..#.. .##.. ..#.. ..#.. ..#.. ..#.. .###.",
  ".###. #...# ....# ...#. ..#.. .#... #####",
  "####. ....# ....# .###. ....# ....# ####.",
  "...#. ..##. .#.#. #..#. ##### ...#. ...#.",
  "##### #.... ####. ....# ....# #...# .###.",
  "..##. .#... #.... ####. #...# #...# .###.",
  "##### ....# ...#. ...#. ..#.. ..#.. ..#..",
  ".###. #...# #...# .###. #...# #...# .###.",
  ".###. #...# #...# .#### ....# ...#. .##..",
].map((glyph) => glyph.split(" "));

const random = new SeededRandom("glia digits 1");
const between = (low: number, high: number) => low + (random.uint32() / 2 ** 32) * (high - low);

/** Ink of a glyph around a point, in glyph coordinates. */
function ink(glyph: readonly string[], x: number, y: number, thickness: number): number {
  let most = 0;
  for (let row = 0; row < 7; row++)
    for (let column = 0; column < 5; column++) {
      if (glyph[row]?.[column] !== "#") continue;
      const distance = Math.sqrt((x - column) * (x - column) + (y - row) * (y - row));
      most = Math.max(most, 1 - distance / thickness);
    }
  return most;
}

function image(glyph: readonly string[]): number[] {
  const [turn, shear, thickness] = [between(-0.2, 0.2), between(-0.25, 0.25), between(0.9, 1.4)];
  const [wide, high] = [between(0.85, 1.15), between(0.85, 1.1)];
  const [right, down] = [between(-0.75, 0.75), between(-0.6, 0.6)];
  return Array.from({ length: SIDE * SIDE }, (_, at) => {
    const [u, v] = [(at % SIDE) - 3.5 - right, Math.floor(at / SIDE) - 3.5 - down];
    const [x, y] = [(u - turn * v - shear * v) / wide, (v + turn * u) / high];
    const grey = ink(glyph, x + 2, y + 3, thickness) * 15 + between(-3, 3);
    return Math.min(15, Math.max(0, Math.round(grey)));
  });
}

const digits = Array.from({ length: COUNT }, (_, index) => ({
  label: index % 10,
  pixels: image(GLYPHS[index % 10] as readonly string[]),
}));
writeFileSync(new URL("digits.bin", import.meta.url), encodeDigits(digits));
