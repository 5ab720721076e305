/** What quickjs-wasi imports of WASI preview 1, over `glia.v1`. Nothing here blocks, and there are no files. */
import * as glia from "./glia";

const BADF: i32 = 8;
const NOSYS: i32 = 52;
const IO: i32 = 29;
const NANOSECONDS: i64 = 1_000_000;

/** Every clock is the host's clock. */
export function clock_time_get(_clock: i32, _precision: i64, result: usize): i32 {
  store<i64>(result, glia.now() * NANOSECONDS);
  return 0;
}

export function random_get(pointer: usize, length: usize): i32 {
  return glia.random(pointer, length) < 0 ? IO : 0;
}

/** Standard output and error of the engine (its own diagnostics; agents log through `sys.log`) are log lines. */
export function fd_write(descriptor: i32, vectors: usize, count: i32, written: usize): i32 {
  if (descriptor != 1 && descriptor != 2) return BADF;
  let total: usize = 0;
  for (let i = 0; i < count; i++) {
    const length = load<u32>(vectors + usize(i) * 8, 4) as usize;
    glia.log(2, load<u32>(vectors + usize(i) * 8) as usize, length);
    total += length;
  }
  store<u32>(written, u32(total));
  return 0;
}

export function fd_close(_descriptor: i32): i32 {
  return NOSYS;
}

export function fd_fdstat_get(_descriptor: i32, _status: usize): i32 {
  return BADF;
}

export function fd_seek(_descriptor: i32, _offset: i64, _whence: i32, _result: usize): i32 {
  return NOSYS;
}
