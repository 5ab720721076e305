/** The functions of quickjs-wasi 3.6.2 that the engine calls. A "box" is the address of a value on the heap, freed with `freeValue`. */

@external("qjs", "_initialize")
export declare function initialize(): void;

@external("qjs", "qjs_init")
export declare function init(): i32;

@external("qjs", "qjs_set_interrupt_handler")
export declare function setInterruptHandler(on: i32): void;

@external("qjs", "qjs_set_promise_rejection_handler")
export declare function setPromiseRejectionHandler(on: i32): void;

@external("qjs", "qjs_run_gc")
export declare function runGc(): void;

/** Where QuickJS keeps its one context. */
@external("qjs", "qjs_get_context_ptr")
export declare function contextPointer(): usize;

/** Source must be followed by a zero byte. Flag 1: a module; the result is then the box of a promise. */
@external("qjs", "qjs_eval")
export declare function evaluate(source: usize, length: usize, fileName: usize, flags: i32): usize;

@external("qjs", "qjs_call")
export declare function call(fn: usize, self: usize, count: i32, boxes: usize): usize;

@external("qjs", "qjs_execute_pending_job")
export declare function executePendingJob(): i32;

@external("qjs", "qjs_is_job_pending")
export declare function isJobPending(): i32;

@external("qjs", "qjs_get_exception")
export declare function getException(): usize;

@external("qjs", "qjs_throw")
export declare function throwValue(box: usize): usize;

@external("qjs", "qjs_is_exception")
export declare function isException(box: usize): i32;

@external("qjs", "qjs_is_string")
export declare function isString(box: usize): i32;

@external("qjs", "qjs_get_global")
export declare function getGlobal(): usize;

@external("qjs", "qjs_get_undefined")
export declare function getUndefined(): usize;

@external("qjs", "qjs_new_object")
export declare function newObject(): usize;

@external("qjs", "qjs_new_number")
export declare function newNumber(value: f64): usize;

@external("qjs", "qjs_new_string")
export declare function newString(text: usize, length: usize): usize;

@external("qjs", "qjs_new_uint8_array")
export declare function newUint8Array(bytes: usize, length: usize): usize;

@external("qjs", "qjs_new_host_function")
export declare function newHostFunction(name: usize, length: usize, parameters: i32): usize;

/** The name is zero-terminated and the value stays the caller's. */
@external("qjs", "qjs_set_prop_string")
export declare function setProperty(object: usize, name: usize, value: usize): i32;

@external("qjs", "qjs_get_prop_string")
export declare function getProperty(object: usize, name: usize): usize;

@external("qjs", "qjs_get_float64")
export declare function getNumber(box: usize): f64;

/** UTF-8, zero-terminated; freed with `freeString`. Zero when the value cannot be a string. */
@external("qjs", "qjs_get_string_len")
export declare function getString(box: usize, lengthOut: usize): usize;

@external("qjs", "qjs_free_cstring")
export declare function freeString(text: usize): void;

/** The start of an ArrayBuffer's bytes. */
@external("qjs", "qjs_get_array_buffer")
export declare function getArrayBuffer(box: usize, lengthOut: usize): usize;

@external("qjs", "qjs_dup_value")
export declare function dupValue(box: usize): usize;

@external("qjs", "qjs_free_value")
export declare function freeValue(box: usize): void;

@external("qjs", "wasm_malloc")
export declare function malloc(bytes: usize): usize;

@external("qjs", "wasm_free")
export declare function release(pointer: usize): void;
