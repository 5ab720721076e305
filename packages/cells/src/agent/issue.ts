/** Issues of schemas as plain data. */

/** What is wrong with a value, as plain data for errors and logs. */
export interface Issue {
  readonly message: string;
  /** Where: keys joined by dots; empty for the value itself. */
  readonly path: string;
}
