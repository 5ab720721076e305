/** Numbers of the syscalls this kernel performs, as constants the compiler can fold. A test compares them with the table of `abi`. */

export const GET_TID = 1;
export const YIELD = 2;
export const SLEEP = 3;
export const NOW = 4;
export const RANDOM = 5;
export const SPAWN = 6;
export const WAIT = 7;
export const WAIT_ANY = 8;
export const KILL = 9;
export const CANCEL = 10;
export const EXIT = 11;
export const SEND = 12;
export const TRY_SEND = 13;
export const RECEIVE = 14;
export const TRY_RECEIVE = 15;
export const CALL = 16;
export const REPLY = 17;
export const SELECT = 18;
export const SIGNAL = 19;
export const WAIT_SIGNAL = 20;
export const WAIT_ON = 21;
export const WAKE = 22;
export const READ_WAIT = 23;
export const WRITE_WAIT = 24;
export const MAILBOX = 25;
export const NOTIFICATION = 26;
export const CHANNEL = 27;
export const GRANT = 28;
export const ATTENUATE = 29;
export const REVOKE = 30;
export const REGISTER = 31;
export const LOOKUP = 32;
export const LINK = 33;
export const MONITOR = 34;
export const LOG = 35;
export const EXEC = 36;
export const FETCH = 37;
export const FILE = 38;
export const MODEL = 39;
export const APPROVE = 40;
export const CHECKPOINT = 41;
export const EXTERNAL = 42;
export const DROP = 43;
export const ENDPOINT = 44;
export const BADGE = 45;
export const CLOSE = 46;
export const REGION = 47;
export const READ_REGION = 48;
export const WRITE_REGION = 49;
export const MAP_REGION = 50;
export const ACK = 51;
export const NACK = 52;
export const RENEW = 53;
export const READ_FROM = 54;
export const WRITE_TO = 55;
export const CLOSE_RESOURCE = 56;
export const UNLINK = 57;
export const DEMONITOR = 58;
export const TRAP_EXITS = 59;
export const EXIT_SIGNAL = 60;
export const TASK_HANDLE = 61;
export const SERVE = 62;
export const REFUSE = 63;
export const WHEREIS = 64;
export const UNREGISTER = 65;
export const MONOTONIC = 66;

/** One more than the highest number: the size of tables by number. */
export const OPCODES = 67;

/**
 * The syscalls whose outcomes are journaled: those whose effect class is not `local`. A test compares them with the table; the kernel does
 * not carry the table, whose texts are half as large as its scheduler.
 */
export const RECORDED: readonly number[] = [
  NOW,
  RANDOM,
  RECEIVE,
  TRY_RECEIVE,
  CALL,
  SELECT,
  WAIT_SIGNAL,
  WAIT_ON,
  LOOKUP,
  EXEC,
  FETCH,
  FILE,
  MODEL,
  APPROVE,
  EXTERNAL,
  READ_REGION,
  READ_FROM,
  WRITE_TO,
  WHEREIS,
  MONOTONIC,
];

/** Names by number, for messages and counters. */
export const OPCODE_NAMES: Readonly<Record<number, string>> = {
  [GET_TID]: "getTid",
  [YIELD]: "yield",
  [SLEEP]: "sleep",
  [NOW]: "now",
  [RANDOM]: "random",
  [SPAWN]: "spawn",
  [WAIT]: "wait",
  [WAIT_ANY]: "waitAny",
  [KILL]: "kill",
  [CANCEL]: "cancel",
  [EXIT]: "exit",
  [SEND]: "send",
  [TRY_SEND]: "trySend",
  [RECEIVE]: "receive",
  [TRY_RECEIVE]: "tryReceive",
  [CALL]: "call",
  [REPLY]: "reply",
  [SELECT]: "select",
  [SIGNAL]: "signal",
  [WAIT_SIGNAL]: "waitSignal",
  [WAIT_ON]: "waitOn",
  [WAKE]: "wake",
  [READ_WAIT]: "readWait",
  [WRITE_WAIT]: "writeWait",
  [MAILBOX]: "mailbox",
  [NOTIFICATION]: "notification",
  [CHANNEL]: "channel",
  [GRANT]: "grant",
  [ATTENUATE]: "attenuate",
  [REVOKE]: "revoke",
  [LOG]: "log",
  [EXEC]: "exec",
  [FETCH]: "fetch",
  [FILE]: "file",
  [MODEL]: "model",
  [APPROVE]: "approve",
  [CHECKPOINT]: "checkpoint",
  [EXTERNAL]: "external",
  [DROP]: "drop",
  [ENDPOINT]: "endpoint",
  [BADGE]: "badge",
  [CLOSE]: "close",
  [REGION]: "region",
  [READ_REGION]: "readRegion",
  [WRITE_REGION]: "writeRegion",
  [MAP_REGION]: "mapRegion",
  [ACK]: "ack",
  [NACK]: "nack",
  [RENEW]: "renew",
  [READ_FROM]: "readFrom",
  [WRITE_TO]: "writeTo",
  [CLOSE_RESOURCE]: "closeResource",
  [REGISTER]: "register",
  [LOOKUP]: "lookup",
  [LINK]: "link",
  [MONITOR]: "monitor",
  [UNLINK]: "unlink",
  [DEMONITOR]: "demonitor",
  [TRAP_EXITS]: "trapExits",
  [EXIT_SIGNAL]: "exitSignal",
  [TASK_HANDLE]: "taskHandle",
  [SERVE]: "serve",
  [REFUSE]: "refuse",
  [WHEREIS]: "whereis",
  [UNREGISTER]: "unregister",
  [MONOTONIC]: "monotonic",
};
