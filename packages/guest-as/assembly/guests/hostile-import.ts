/** Asks for imports nobody grants: for tests of admission. */
import { receive } from "../host";

@external("glia.v1", "format_disk")
declare function formatDisk(drive: i32): i32;
@external("env", "system")
declare function system(command: usize): i32;

export function glia_main(): i32 {
  return receive(1024, 16) + formatDisk(0) + system(0);
}
