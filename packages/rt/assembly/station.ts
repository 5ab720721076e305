/**
 * The image that comes with the package: a weather station. A sampler reads a sensor every 100 ticks, a filter makes one value of four
 * readings, a reporter sends it out. A fourth task listens for an interrupt and asks for a report at once.
 *
 * `boot` starts it, `run` goes on until all is over (40 readings) or nothing can happen without an interrupt.
 */
import { BLOCK_BYTES, BLOCKS, calls, emit, Event, exit, listen, mostUsed, raise, reset, run as go, send, sense, setTraced, sleep, spawn, ticks, used } from "./index";

const READINGS: i32 = 40;
const PERIOD: i32 = 100;
const REPORT: i32 = 16;
const ON_DEMAND: i32 = 17;
/** A message to the reporter that asks for the last value. */
const ASK: i32 = i32.MIN_VALUE;

let filter: i32 = 0;
let reporter: i32 = 0;
let button: i32 = 0;
let taken: i32 = 0;
let count: i32 = 0;
let sum: i32 = 0;
let mixed: u32 = 0;
let shown: i32 = 0;

function sampler(self: i32, event: i32, value: i32): void {
  if (event == Event.TIMER) {
    send(filter, sense(0) + taken);
    taken++;
  }
  if (taken < READINGS) sleep(PERIOD);
  else exit();
}

function filtering(self: i32, event: i32, value: i32): void {
  if (event != Event.MESSAGE) return;
  sum += value;
  // FNV-1a over the readings, so that the trace shows each of them.
  mixed = (mixed ^ <u32>value) * 16777619;
  count++;
  if (count % 4 == 0) {
    send(reporter, sum / 4);
    sum = 0;
  }
  if (count == READINGS) exit();
}

function reporting(self: i32, event: i32, value: i32): void {
  if (event != Event.MESSAGE) return;
  if (value == ASK) {
    emit(self, ON_DEMAND, shown);
    return;
  }
  shown = value;
  emit(self, REPORT, value);
  if (count == READINGS) {
    emit(self, REPORT, <i32>mixed);
    send(button, 0);
    exit();
  }
}

function pressed(self: i32, event: i32, value: i32): void {
  if (event == Event.START) listen(0);
  else if (event == Event.INTERRUPT) send(reporter, ASK);
  else exit();
}

/** The version of the interface to the outside. */
export function version(): i32 {
  return 1;
}

/** Start from the beginning, traced. Returns how many tasks there are. */
export function boot(): i32 {
  setTraced(true);
  reset();
  taken = count = sum = shown = 0;
  mixed = 2166136261;
  filter = spawn(filtering, 2);
  reporter = spawn(reporting, 3);
  button = spawn(pressed, 1);
  return spawn(sampler, 1) + 1;
}

/** Go on. Returns how many tasks are left. */
export function run(): i32 {
  return go();
}

/** An interrupt from outside: how many tasks were told. */
export function interrupt(source: i32, value: i32): i32 {
  return raise(source, value);
}

/** Ticks since the start. */
export function now(): i32 {
  return ticks();
}

/** How often a task was called. */
export function turns(): i32 {
  return calls();
}

/** Blocks in use, and the most there were. */
export function blocks(): i32 {
  return used();
}
export function blocksPeak(): i32 {
  return mostUsed();
}

/** Bytes of memory that the image uses: all of it is static, and begins at address 0. */
export function ramBytes(): i32 {
  return <i32>__heap_base;
}

/** Bytes of the pool. */
export function poolBytes(): i32 {
  return BLOCKS * <i32>(BLOCK_BYTES + 8);
}
