/** Never gives control back: for tests of the watchdog. */
let turns: u64 = 0;

export function glia_main(): i32 {
  while (true) turns += 1;
}
