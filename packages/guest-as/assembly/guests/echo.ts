/** Answers every message with its own content. */
import { receive, reply } from "../index";

export function glia_main(): i32 {
  while (true) reply(receive());
}
