/** The imports of `glia.v1` that the engine uses (docs/spec/host-abi.md). */

@external("glia.v1", "receive")
export declare function receive(pointer: usize, capacity: usize): i32;

@external("glia.v1", "receive_within")
export declare function receiveWithin(pointer: usize, capacity: usize, durationMs: i64): i32;

@external("glia.v1", "sleep")
export declare function sleep(durationMs: i64): i32;

@external("glia.v1", "yield")
export declare function yieldNow(): i32;

@external("glia.v1", "exit")
export declare function exit(status: i32): void;

@external("glia.v1", "reply")
export declare function reply(pointer: usize, length: usize): i32;

@external("glia.v1", "log")
export declare function log(level: i32, pointer: usize, length: usize): i32;

@external("glia.v1", "now")
export declare function now(): i64;

@external("glia.v1", "random")
export declare function random(pointer: usize, length: usize): i32;

export const E_TOO_BIG: i32 = -2;
export const E_LIMIT: i32 = -5;
export const E_TIMEOUT: i32 = -7;
