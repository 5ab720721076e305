/** What the engine keeps between calls: mutable globals, so that a module can be made of them (EN2). */

/** Nothing has happened. */
export const EMPTY: i32 = 0;
/** The code is in memory. */
export const LOADED: i32 = 1;
/** The agent has been started at build time and waits to be told that it runs. */
export const READY: i32 = 2;
/** The agent runs. */
export const RUNNING: i32 = 3;

export let stage: i32 = EMPTY;
export function setStage(value: i32): void {
  stage = value;
}

/** 64 bytes for whatever a function needs until it returns. */
export let scratch: usize = 0;
export function setScratch(pointer: usize): void {
  scratch = pointer;
}

/** Boxes of the functions that the guest API registers. */
export let onTurn: usize = 0;
export let onRejection: usize = 0;
export let onSpawn: usize = 0;
export function setHooks(turn: usize, rejection: usize, spawn: usize): void {
  onTurn = turn;
  onRejection = rejection;
  onSpawn = spawn;
}
