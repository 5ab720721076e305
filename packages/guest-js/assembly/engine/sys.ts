/**
 * The imports of `glia.sys.v1` (docs/spec/host-abi.md) that the engine can use, in a module of their own that is merged last: they are
 * then the engine's last imports, and a module of an agent that needs none of them goes without (`src/module/without-imports.ts`).
 */
@external("glia.sys.v1", "capability")
declare function sysCapability(pointer: usize, length: usize): i32;

@external("glia.sys.v1", "result")
declare function sysResult(pointer: usize, capacity: usize): i32;

@external("glia.sys.v1", "fetch")
declare function sysFetch(handle: i32, head: usize, headLength: usize, body: usize, bodyLength: usize): i32;

@external("glia.sys.v1", "exec")
declare function sysExec(handle: i32, pointer: usize, length: usize): i32;

export function capability(pointer: usize, length: usize): i32 {
  return sysCapability(pointer, length);
}

export function result(pointer: usize, capacity: usize): i32 {
  return sysResult(pointer, capacity);
}

export function fetch(handle: i32, head: usize, headLength: usize, body: usize, bodyLength: usize): i32 {
  return sysFetch(handle, head, headLength, body, bodyLength);
}

export function exec(handle: i32, pointer: usize, length: usize): i32 {
  return sysExec(handle, pointer, length);
}
