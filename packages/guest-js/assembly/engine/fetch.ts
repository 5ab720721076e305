/** Requests to the outside and to services, over `sys.ts`. Boxes are borrowed; a result is a box of its own, or 0 after an exception was set. */
import * as glia from "./glia";
import * as qjs from "./qjs";
import { scratch } from "./state";

@external("sys", "capability")
declare function capability(pointer: usize, length: usize): i32;

@external("sys", "result")
declare function result(pointer: usize, capacity: usize): i32;

@external("sys", "fetch")
declare function fetch(handle: i32, head: usize, headLength: usize, body: usize, bodyLength: usize): i32;

@external("sys", "exec")
declare function exec(handle: i32, pointer: usize, length: usize): i32;

@inline
function argument(boxes: usize, index: i32): usize {
  return load<u32>(boxes + usize(index) * 4) as usize;
}

/** Ask: name of the capability, head as JSON, body as an ArrayBuffer. The length of the result, or a negative error. Suspends the guest. */
export function ask(boxes: usize): usize {
  const name = qjs.getString(argument(boxes, 0), scratch);
  if (name == 0) return 0;
  const handle = capability(name, load<u32>(scratch) as usize);
  qjs.freeString(name);
  if (handle < 0) return qjs.newNumber(f64(handle));
  const head = qjs.getString(argument(boxes, 1), scratch);
  if (head == 0) return 0;
  const headLength = load<u32>(scratch) as usize;
  const body = qjs.getArrayBuffer(argument(boxes, 2), scratch);
  const bodyLength: usize = body == 0 ? <usize>0 : (load<u32>(scratch) as usize);
  const done = fetch(handle, head, headLength, body, bodyLength);
  qjs.freeString(head);
  return qjs.newNumber(f64(done));
}

/** Have a service do something: name of the capability, input as JSON. The length of the result, or a negative error. Suspends the guest. */
export function command(boxes: usize): usize {
  const name = qjs.getString(argument(boxes, 0), scratch);
  if (name == 0) return 0;
  const handle = capability(name, load<u32>(scratch) as usize);
  qjs.freeString(name);
  if (handle < 0) return qjs.newNumber(f64(handle));
  const input = qjs.getString(argument(boxes, 1), scratch);
  if (input == 0) return 0;
  const done = exec(handle, input, load<u32>(scratch) as usize);
  qjs.freeString(input);
  return qjs.newNumber(f64(done));
}

/** Take a result of at most so many bytes: a Uint8Array, or a negative error. */
export function taken(most: f64): usize {
  const room = usize(u32(most));
  const into = qjs.malloc(room + 1);
  if (into == 0) return qjs.newNumber(f64(glia.E_LIMIT));
  const got = result(into, room);
  const made = got < 0 ? qjs.newNumber(f64(got)) : qjs.newUint8Array(into, got as usize);
  qjs.release(into);
  return made;
}
