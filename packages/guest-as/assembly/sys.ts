/** The imports of module `glia.sys.v1` as they are. Guests that manage their own memory use these; others use capability.ts. */

/** The handle this guest was given under a name. */
@external("glia.sys.v1", "capability")
export declare function capability(name: usize, nameLength: usize): i32;

/** The rights of a handle, as bits. */
@external("glia.sys.v1", "rights")
export declare function rights(handle: i32): i32;

/** A new handle with at most these rights. */
@external("glia.sys.v1", "attenuate")
export declare function attenuate(handle: i32, rights: i32): i32;

/** Give a handle up. */
@external("glia.sys.v1", "drop")
export declare function dropHandle(handle: i32): i32;

/** End everything derived from a handle; how many handles of this guest it were. */
@external("glia.sys.v1", "revoke")
export declare function revoke(handle: i32): i32;

/** A handle for the capability of this number that came with the message received last. */
@external("glia.sys.v1", "accept")
export declare function accept(index: i32): i32;

/** Copy the result of the last call; its length, or E_TOO_BIG and it stays. */
@external("glia.sys.v1", "result")
export declare function result(pointer: usize, capacity: usize): i32;

/** A handle for what is registered under a name. */
@external("glia.sys.v1", "lookup")
export declare function lookup(name: usize, nameLength: usize): i32;

/** Send a message; `grants` points at `count` pairs of handle and rights. */
@external("glia.sys.v1", "send")
export declare function send(handle: i32, pointer: usize, length: usize, grants: usize, count: usize): i32;

/** Send a message and wait for its reply; its length. */
@external("glia.sys.v1", "call")
export declare function call(handle: i32, pointer: usize, length: usize, timeoutMs: i64): i32;

/** Have a tool run: JSON to JSON. */
@external("glia.sys.v1", "exec")
export declare function exec(handle: i32, pointer: usize, length: usize): i32;

/** One HTTP exchange. */
@external("glia.sys.v1", "fetch")
export declare function fetch(handle: i32, head: usize, headLength: usize, body: usize, bodyLength: usize): i32;

/** At most `limit` bytes of a file. */
@external("glia.sys.v1", "file_read")
export declare function fileRead(handle: i32, path: usize, pathLength: usize, limit: i32): i32;

/** Replace the content of a file. */
@external("glia.sys.v1", "file_write")
export declare function fileWrite(handle: i32, path: usize, pathLength: usize, content: usize, contentLength: usize): i32;

/** The names in a folder, as a JSON list. */
@external("glia.sys.v1", "file_list")
export declare function fileList(handle: i32, path: usize, pathLength: usize): i32;

/** Ask a model: JSON to JSON. */
@external("glia.sys.v1", "model")
export declare function model(handle: i32, pointer: usize, length: usize): i32;

/** Ask somebody to approve: text to JSON. */
@external("glia.sys.v1", "approve")
export declare function approve(handle: i32, pointer: usize, length: usize): i32;
