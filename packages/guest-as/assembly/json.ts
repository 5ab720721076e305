/** As much of JSON as requests and answers of services need. */

/** A text as a JSON string, quotes included. */
export function quote(text: string): string {
  let quoted = '"';
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit == 0x22 || unit == 0x5c) quoted += "\\" + text.charAt(at);
    else if (unit < 0x20) quoted += "\\u00" + (unit < 16 ? "0" : "") + unit.toString(16);
    else quoted += text.charAt(at);
  }
  return quoted + '"';
}
