/** Globals that a bundle gets only when its program uses them: the bundler puts these in the place of the names. */
export { fetch } from "./fetch.ts";
export { Headers } from "./headers.ts";
export { Response } from "./response.ts";
export { URLSearchParams } from "./url-search-params.ts";
