/** Calls itself until the native stack ends: for tests of limits. */
function deeper(n: u64): u64 {
  return n == u64.MAX_VALUE ? 0 : deeper(n + 1) + n;
}

export function glia_main(): i32 {
  return <i32>deeper(0);
}
