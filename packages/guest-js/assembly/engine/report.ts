/** Writes an uncaught JavaScript error to the log: its text, and its stack on the lines after. */
import * as glia from "./glia";
import * as qjs from "./qjs";
import { scratch } from "./state";

const ERROR: i32 = 4;
const NEW_LINE: u8 = 0x0a;

/** Report and drop the exception that is set. */
export function reportException(): void {
  const error = qjs.getException();
  const message = qjs.getString(error, scratch);
  const messageLength: usize = message == 0 ? <usize>0 : (load<u32>(scratch) as usize);
  // "stack"
  store<u64>(scratch + 16, 0x6b63617473);
  const stackBox = qjs.getProperty(error, scratch + 16);
  const stack = qjs.isString(stackBox) ? qjs.getString(stackBox, scratch) : 0;
  const stackLength: usize = stack == 0 ? <usize>0 : (load<u32>(scratch) as usize);
  const line = qjs.malloc(messageLength + stackLength + 1);
  if (line != 0) {
    memory.copy(line, message, messageLength);
    store<u8>(line + messageLength, NEW_LINE);
    memory.copy(line + messageLength + 1, stack, stackLength);
    glia.log(ERROR, line, messageLength + 1 + stackLength);
    qjs.release(line);
  }
  if (message != 0) qjs.freeString(message);
  if (stack != 0) qjs.freeString(stack);
  qjs.freeValue(stackBox);
  qjs.freeValue(error);
}
