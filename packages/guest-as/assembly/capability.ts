/**
 * Capabilities: what this guest may do to the world besides its own messages. Where a call gives `null` or a negative number,
 * `failure()` is the error, and for E_FAILED `failureText()` says what went wrong.
 */
import { failure, note, takeResult } from "./failure";
import { quote } from "./json";
import * as sys from "./sys";

/** Rights, as bits of a set. */
export namespace Rights {
  export const SEND: i32 = 0x1;
  export const CALL: i32 = 0x4;
  export const GRANT: i32 = 0x80;
  export const REVOKE: i32 = 0x100;
  export const READ: i32 = 0x200;
  export const WRITE: i32 = 0x400;
  export const EXEC: i32 = 0x800;
  export const APPROVE: i32 = 0x2000;
}

/** A capability that goes with a message, with at most these rights. */
export class Grant {
  constructor(public capability: Capability, public rights: i32) {}
}

/** The answer to an HTTP request. */
export class Response {
  constructor(
    public status: i32,
    /** `{"status", "headers"}` as JSON. */
    public head: string,
    public body: Uint8Array,
  ) {}

  /** The body as UTF-8. */
  text(): string {
    return String.UTF8.decodeUnsafe(this.body.dataStart, this.body.length);
  }
}

/** One capability of this guest. */
export class Capability {
  constructor(public handle: i32) {}

  /** The one this guest was given under a name. */
  static named(name: string): Capability | null {
    const bytes = String.UTF8.encode(name);
    return held(sys.capability(changetype<usize>(bytes), bytes.byteLength));
  }

  /** What is registered under a name; only for guests that may look names up. */
  static lookup(name: string): Capability | null {
    const bytes = String.UTF8.encode(name);
    return held(sys.lookup(changetype<usize>(bytes), bytes.byteLength));
  }

  /** The one of this number, from 0, that came with the message received last. Each can be taken once. */
  static accepted(index: i32): Capability | null {
    return held(sys.accept(index));
  }

  /** Its rights, as bits of {@link Rights}. */
  get rights(): i32 {
    return note(sys.rights(this.handle));
  }

  /** A new capability with at most these rights. */
  attenuate(rights: i32): Capability | null {
    return held(sys.attenuate(this.handle, rights));
  }

  /** Give it up. */
  drop(): i32 {
    return note(sys.dropHandle(this.handle));
  }

  /** End everything derived from it; how many capabilities of this guest it were. */
  revoke(): i32 {
    return note(sys.revoke(this.handle));
  }

  /** Send a message, with up to 16 capabilities. */
  send(message: Uint8Array, grants: Grant[] = []): i32 {
    const pairs = new Uint32Array(grants.length * 2);
    for (let at = 0; at < grants.length; at++) {
      pairs[2 * at] = grants[at].capability.handle;
      pairs[2 * at + 1] = grants[at].rights;
    }
    return note(sys.send(this.handle, message.dataStart, message.length, pairs.dataStart, grants.length));
  }

  /** Send a message and wait for its reply. */
  call(message: Uint8Array, timeoutMs: i64 = 30000): Uint8Array | null {
    return taken(sys.call(this.handle, message.dataStart, message.length, timeoutMs));
  }

  /** Have a tool run: JSON to JSON. */
  exec(input: string): string | null {
    const bytes = String.UTF8.encode(input);
    return textOf(taken(sys.exec(this.handle, changetype<usize>(bytes), bytes.byteLength)));
  }

  /** One HTTP exchange. `headers` is a JSON object. */
  fetch(url: string, method: string = "GET", headers: string = "{}", body: Uint8Array | null = null): Response | null {
    const head = String.UTF8.encode('{"url":' + quote(url) + ',"method":' + quote(method) + ',"headers":' + headers + "}");
    const content = body === null ? new Uint8Array(0) : body;
    const length = sys.fetch(this.handle, changetype<usize>(head), head.byteLength, content.dataStart, content.length);
    const answer = taken(length);
    return answer === null ? null : responseOf(answer);
  }

  /** The content of a file of at most `limit` bytes. */
  readFile(path: string, limit: i32 = 1048576): Uint8Array | null {
    const bytes = String.UTF8.encode(path);
    return taken(sys.fileRead(this.handle, changetype<usize>(bytes), bytes.byteLength, limit));
  }

  /** Replace the content of a file. */
  writeFile(path: string, content: Uint8Array): i32 {
    const bytes = String.UTF8.encode(path);
    return note(sys.fileWrite(this.handle, changetype<usize>(bytes), bytes.byteLength, content.dataStart, content.length));
  }

  /** The names in a folder, as a JSON list. */
  listFiles(path: string): string | null {
    const bytes = String.UTF8.encode(path);
    return textOf(taken(sys.fileList(this.handle, changetype<usize>(bytes), bytes.byteLength)));
  }

  /** Ask a model: JSON to JSON. */
  model(request: string): string | null {
    const bytes = String.UTF8.encode(request);
    return textOf(taken(sys.model(this.handle, changetype<usize>(bytes), bytes.byteLength)));
  }

  /** Ask somebody to approve; `{"approved", "by", "reason"?}` as JSON. */
  approve(question: string): string | null {
    const bytes = String.UTF8.encode(question);
    return textOf(taken(sys.approve(this.handle, changetype<usize>(bytes), bytes.byteLength)));
  }
}

function held(handle: i32): Capability | null {
  return note(handle) > 0 ? new Capability(handle) : null;
}

function taken(length: i32): Uint8Array | null {
  if (note(length) < 0) return null;
  return takeResult(length);
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : String.UTF8.decodeUnsafe(bytes.dataStart, bytes.length);
}

/** The bytes of a response: length of the head, head, body. */
function responseOf(bytes: Uint8Array): Response {
  const length = load<i32>(bytes.dataStart);
  const head = String.UTF8.decodeUnsafe(bytes.dataStart + 4, length);
  const digits = head.indexOf(":") + 1;
  const status = I32.parseInt(head.substring(digits, digits + 3));
  return new Response(status, head, bytes.slice(4 + length));
}
