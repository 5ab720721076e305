/** `TextEncoder` and `TextDecoder` for UTF-8, over the engine's own conversion. */
import { GuestError } from "./errors.ts";
import { host } from "./host.ts";

/** UTF-8 from text. */
export class Utf8Encoder {
  readonly encoding = "utf-8";
  encode(text = ""): Uint8Array {
    return host.e(String(text));
  }
}

/** Text from UTF-8; what is not UTF-8 becomes U+FFFD. A mark at the start is dropped. There is no `stream` and no `fatal`. */
export class Utf8Decoder {
  readonly encoding = "utf-8";
  constructor(label = "utf-8") {
    if (!/^utf-?8$/i.test(label))
      throw new GuestError("bad-argument", `the encoding ${label} is not there; utf-8 is`);
  }
  decode(input?: ArrayBuffer | ArrayBufferView): string {
    if (input === undefined) return "";
    const [buffer, offset, length] = ArrayBuffer.isView(input)
      ? [input.buffer, input.byteOffset, input.byteLength]
      : [input, 0, input.byteLength];
    const text = host.u(buffer, offset, length);
    return text.startsWith("\ufeff") ? text.slice(1) : text;
  }
}
