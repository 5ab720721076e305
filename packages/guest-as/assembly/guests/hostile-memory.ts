/** Takes all memory it can get, writes to each page of it, and replies with the number of pages (u32): for tests of limits. */
import * as host from "../host";

export function glia_main(): i32 {
  while (memory.grow(1) >= 0) store<u8>((<usize>memory.size() << 16) - 1, 1);
  store<u32>(1024, memory.size());
  host.receive(2048, 64);
  host.reply(1024, 4);
  return memory.size();
}
