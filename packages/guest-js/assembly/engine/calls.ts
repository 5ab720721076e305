/**
 * The host functions of JavaScript: properties of the global object `glia$`, named by one letter.
 *
 * C1. Arguments are borrowed; a result is a box of its own, or 0 after an exception was set.
 * C2. The letters and what they take are declared in `src/guest/host.ts`; only the guest API calls them.
 */
import * as fetch from "./fetch";
import * as glia from "./glia";
import * as message from "./message";
import * as qjs from "./qjs";
import { scratch, setHooks } from "./state";

function define(target: usize, letter: u8): void {
  store<u16>(scratch, letter as u16);
  const fn = qjs.newHostFunction(scratch, 1, 0);
  qjs.setProperty(target, scratch, fn);
  qjs.freeValue(fn);
}

/** Put `glia$` into the global object. */
export function offerHostFunctions(): void {
  const target = qjs.newObject();
  define(target, 0x61); // a
  define(target, 0x62); // b
  define(target, 0x64); // d
  define(target, 0x65); // e
  define(target, 0x67); // g
  define(target, 0x68); // h
  define(target, 0x6b); // k
  define(target, 0x6c); // l
  define(target, 0x70); // p
  define(target, 0x72); // r
  define(target, 0x73); // s
  define(target, 0x74); // t
  define(target, 0x75); // u
  define(target, 0x78); // x
  define(target, 0x79); // y
  // "glia$"
  store<u64>(scratch, 0x2461696c67);
  const global = qjs.getGlobal();
  qjs.setProperty(global, scratch, target);
  qjs.freeValue(global);
  qjs.freeValue(target);
}

@inline
function argument(boxes: usize, index: i32): usize {
  return load<u32>(boxes + usize(index) * 4) as usize;
}

/** Call the function `letter` with so many borrowed boxes (C1). */
export function perform(letter: u8, count: i32, boxes: usize): usize {
  switch (letter) {
    case 0x61: // a: ask the outside
      return count < 3 ? qjs.getUndefined() : fetch.ask(boxes);
    case 0x62: // b: the message as bytes
      return message.bytes();
    case 0x64: // d: have a service do something
      return count < 2 ? qjs.getUndefined() : fetch.command(boxes);
    case 0x65: // e: a string as UTF-8
      return count < 1 ? qjs.getUndefined() : encoded(argument(boxes, 0));
    case 0x67: // g: get what it answered
      return count < 1 ? qjs.getUndefined() : fetch.taken(qjs.getNumber(argument(boxes, 0)));
    case 0x68: // h: hooks: turn, rejection, spawn
      if (count == 3)
        setHooks(
          qjs.dupValue(argument(boxes, 0)),
          qjs.dupValue(argument(boxes, 1)),
          qjs.dupValue(argument(boxes, 2)),
        );
      return qjs.getUndefined();
    case 0x6b: // k: so many random bytes
      return count < 1 ? qjs.getUndefined() : randomBytes(qjs.getNumber(argument(boxes, 0)));
    case 0x6c: // l: log at a level
      return count < 2 ? qjs.getUndefined() : log(argument(boxes, 0), argument(boxes, 1));
    case 0x70: // p: reply
      return count < 1 ? qjs.getUndefined() : reply(argument(boxes, 0));
    case 0x72: // r: wait for a message
      return count < 1 ? qjs.getUndefined() : received(qjs.getNumber(argument(boxes, 0)));
    case 0x73: // s: sleep
      return count < 1 ? qjs.getUndefined() : slept(qjs.getNumber(argument(boxes, 0)));
    case 0x74: // t: the message as text
      return message.text();
    case 0x75: // u: bytes (an ArrayBuffer, offset, length) as text
      return count < 3 ? qjs.getUndefined() : decoded(boxes);
    case 0x78: // x: exit
      if (count > 0) glia.exit(i32(qjs.getNumber(argument(boxes, 0))));
      return qjs.getUndefined();
    case 0x79: // y: yield
      glia.yieldNow();
      return qjs.getUndefined();
    default:
      return qjs.getUndefined();
  }
}

function received(withinMs: f64): usize {
  return qjs.newNumber(f64(message.receive(withinMs)));
}

function slept(durationMs: f64): usize {
  return qjs.newNumber(f64(glia.sleep(i64(ceil(durationMs)))));
}

function encoded(box: usize): usize {
  const text = qjs.getString(box, scratch);
  if (text == 0) return 0;
  const made = qjs.newUint8Array(text, load<u32>(scratch) as usize);
  qjs.freeString(text);
  return made;
}

function decoded(boxes: usize): usize {
  const start = qjs.getArrayBuffer(argument(boxes, 0), scratch);
  const size = start == 0 ? 0 : f64(load<u32>(scratch));
  const offset = qjs.getNumber(argument(boxes, 1));
  const length = qjs.getNumber(argument(boxes, 2));
  if (!(offset >= 0 && length >= 0 && offset + length <= size)) return qjs.newString(scratch, 0);
  return qjs.newString(start + usize(u32(offset)), usize(u32(length)));
}

function randomBytes(count: f64): usize {
  if (!(count >= 0 && count <= 65536)) return qjs.getUndefined();
  const length = usize(u32(count));
  const filled = qjs.malloc(length + 1);
  if (filled == 0) return qjs.getUndefined();
  const done = glia.random(filled, length);
  const made = done < 0 ? qjs.getUndefined() : qjs.newUint8Array(filled, length);
  memory.fill(filled, 0, length);
  qjs.release(filled);
  return made;
}

function log(level: usize, what: usize): usize {
  const text = qjs.getString(what, scratch);
  if (text == 0) return 0;
  const done = glia.log(i32(qjs.getNumber(level)), text, load<u32>(scratch) as usize);
  qjs.freeString(text);
  return qjs.newNumber(f64(done));
}

/** Reply with a string as UTF-8, or with the bytes of an ArrayBuffer. */
function reply(what: usize): usize {
  if (!qjs.isString(what)) {
    const start = qjs.getArrayBuffer(what, scratch);
    const length: usize = start == 0 ? <usize>0 : (load<u32>(scratch) as usize);
    return qjs.newNumber(f64(glia.reply(start, length)));
  }
  const text = qjs.getString(what, scratch);
  if (text == 0) return 0;
  const done = glia.reply(text, load<u32>(scratch) as usize);
  qjs.freeString(text);
  return qjs.newNumber(f64(done));
}
