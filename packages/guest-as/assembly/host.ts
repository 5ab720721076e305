/** The imports of module `glia.v1` as they are. Guests that manage their own memory use these; others use index.ts. */

/** Wait for a message; copy it to (pointer, capacity); its length, or a negative error. */
@external("glia.v1", "receive")
export declare function receive(pointer: usize, capacity: usize): i32;

/** As receive, for at most so many milliseconds; E_TIMEOUT when no message came. */
@external("glia.v1", "receive_within")
export declare function receiveWithin(pointer: usize, capacity: usize, durationMs: i64): i32;

/** Wait for some milliseconds. */
@external("glia.v1", "sleep")
export declare function sleep(durationMs: i64): i32;

/** Let other guests run. */
@external("glia.v1", "yield")
export declare function yieldNow(): i32;

/** End with a status; never returns. */
@external("glia.v1", "exit")
export declare function exit(status: i32): void;

/** Answer the message received last; once per message. */
@external("glia.v1", "reply")
export declare function reply(pointer: usize, length: usize): i32;

/** Write a log line: level 0 trace to 4 error, UTF-8. */
@external("glia.v1", "log")
export declare function log(level: i32, pointer: usize, length: usize): i32;

/** Milliseconds since the Unix epoch. */
@external("glia.v1", "now")
export declare function now(): i64;

/** Fill with random bytes. */
@external("glia.v1", "random")
export declare function random(pointer: usize, length: usize): i32;
