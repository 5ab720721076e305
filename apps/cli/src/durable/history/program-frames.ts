/** Places in a program, without those of the command that replays it. */

/** The frames of a position that belong to the program: those that called it asynchronously are the command's. */
export function programFrames(position: readonly string[]): readonly string[] {
  return position.filter((line) => !line.startsWith("async ")).slice(0, 5);
}
