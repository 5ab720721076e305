/**
 * The part of the engine that is not QuickJS: it starts an agent, waits for what comes next, and gives JavaScript its host functions.
 *
 * EN1. The agent's code comes as two messages: a head of 8 bytes (length u32, mode u32), then the source. Afterwards the engine asks
 *      once to receive into a buffer of no bytes: it is ready, and a module can be made of its memory and globals as they are then.
 * EN2. Everything that lasts lies in memory 0 or in a mutable global, so a fresh call of `glia_main` on that state goes on from it.
 * EN3. While it waits for messages or timers no JavaScript is on the stack.
 * EN4. It has no static data and no garbage collector; it uses only what `malloc` of QuickJS gives.
 */
import { offerHostFunctions, perform } from "./calls";
import * as glia from "./glia";
import * as message from "./message";
import * as qjs from "./qjs";
import { reportException } from "./report";
import * as slice from "./slice";
import {
  EMPTY,
  LOADED,
  onRejection,
  onSpawn,
  onTurn,
  READY,
  RUNNING,
  scratch,
  setScratch,
  setStage,
  stage,
} from "./state";

/** Mode: start the agent at once, and be ready when it has nothing left to do. Otherwise it starts when the module runs. */
const START_FIRST: u32 = 0;
/** The status of an agent that ended by an uncaught error. */
const FAILED: i32 = 1;
/** `qjs_eval`: a module. */
const MODULE: i32 = 1;
/** Arguments of a turn: what came, or one of these. */
const NOTHING: f64 = -100;
const ONLY_CHECK: f64 = -101;
/** An answer of a turn below this: there is more to do at once. */
const AGAIN: f64 = -1e299;

let source: usize = 0;
let sourceLength: usize = 0;

export function glia_main(): i32 {
  if (stage == EMPTY && !takeCode()) return FAILED;
  if (stage == LOADED) {
    if (!start()) return FAILED;
    setStage(READY);
  }
  if (stage == READY) {
    setStage(RUNNING);
    const told = qjs.call(onSpawn, onSpawn, 0, 0);
    const failed = qjs.isException(told);
    qjs.freeValue(told);
    if (failed) return fail();
    if (!drainJobs()) return FAILED;
  }
  return live();
}

/** Take the code, start it if it is to be, and be ready (EN1). */
function takeCode(): bool {
  qjs.initialize();
  setScratch(qjs.malloc(64));
  if (glia.receive(scratch, 8) != 8) return false;
  sourceLength = load<u32>(scratch) as usize;
  const mode = load<u32>(scratch, 4);
  source = qjs.malloc(sourceLength + 1);
  if (source == 0 || glia.receive(source, sourceLength) != i32(sourceLength)) return false;
  store<u8>(source + sourceLength, 0);
  qjs.init();
  qjs.setInterruptHandler(1);
  qjs.setPromiseRejectionHandler(1);
  offerHostFunctions();
  setStage(LOADED);
  if (mode == START_FIRST) {
    if (!start()) return false;
    setStage(READY);
    qjs.runGc();
  }
  glia.receive(0, 0);
  return true;
}

/** Evaluate the agent's module and everything it can do without waiting. */
function start(): bool {
  // "agent.js"
  store<u64>(scratch, 0x736a2e746e656761);
  store<u8>(scratch + 8, 0);
  const result = qjs.evaluate(source, sourceLength, scratch, MODULE);
  memory.fill(source, 0, sourceLength);
  qjs.release(source);
  const failed = qjs.isException(result);
  qjs.freeValue(result);
  if (failed) {
    reportException();
    return false;
  }
  if (!drainJobs() || onTurn == 0) return false;
  const checked = turn(ONLY_CHECK);
  return checked == checked;
}

function fail(): i32 {
  reportException();
  return FAILED;
}

/** Turn by turn until the agent ends (EN3). */
function live(): i32 {
  let came: f64 = NOTHING;
  while (true) {
    const wait = turn(came);
    if (wait != wait) return FAILED;
    if (wait == -Infinity) return 0;
    if (wait < AGAIN) came = NOTHING;
    else if (wait < 0) {
      glia.sleep(i64(ceil(-wait - 1)));
    } else came = f64(message.receive(wait));
    if (came != NOTHING && came != f64(glia.E_TIMEOUT)) {
      // Deliver, let everything that waited for it run, and only then ask what to wait for.
      const delivered = turn(came);
      if (delivered != delivered) return FAILED;
    }
    came = NOTHING;
    if (!drainJobs()) return FAILED;
  }
}

/** One call of the guest API's scheduler; NaN after a failure, which has been reported. */
function turn(came: f64): f64 {
  const box = qjs.newNumber(came);
  store<u32>(scratch, u32(box), 32);
  const result = qjs.call(onTurn, onTurn, 1, scratch + 32);
  qjs.freeValue(box);
  const failed = qjs.isException(result);
  const wait = failed ? NaN : qjs.getNumber(result);
  qjs.freeValue(result);
  if (failed) reportException();
  return wait;
}

/** Run promise jobs until none is left. */
function drainJobs(): bool {
  while (qjs.isJobPending()) {
    if (qjs.executePendingJob() < 0) {
      reportException();
      return false;
    }
  }
  return true;
}

/** QuickJS calls this after so many backward jumps and calls: a place where the agent lets others run, or is moved. */
export function host_interrupt(): i32 {
  slice.interrupted();
  return 0;
}

export function host_call(name: usize, _length: i32, _self: usize, count: i32, boxes: usize): usize {
  return perform(load<u8>(name), count, boxes);
}

/** A promise was rejected without a handler, or got one afterwards. The boxes are the callee's. */
export function host_promise_rejection(promise: usize, reason: usize, handled: i32): void {
  if (onRejection != 0) {
    const flag = qjs.newNumber(f64(handled));
    const boxes = qjs.malloc(12);
    store<u32>(boxes, u32(promise));
    store<u32>(boxes, u32(reason), 4);
    store<u32>(boxes, u32(flag), 8);
    qjs.freeValue(qjs.call(onRejection, onRejection, 3, boxes));
    qjs.release(boxes);
    qjs.freeValue(flag);
  }
  qjs.freeValue(promise);
  qjs.freeValue(reason);
}

/** One bundle is one module: there is nothing to import at run time. */
export function host_module_normalize(_base: usize, name: usize): usize {
  let length: usize = 0;
  while (load<u8>(name + length) != 0) length++;
  const copy = qjs.malloc(length + 1);
  if (copy != 0) memory.copy(copy, name, length + 1);
  return copy;
}

export function host_module_load(_name: usize, _lengthOut: usize): usize {
  return 0;
}

/** Agents see UTC. */
export function host_get_timezone_offset(_high: i32, _low: i32): i32 {
  return 0;
}
