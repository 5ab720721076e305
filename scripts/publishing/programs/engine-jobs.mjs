/** The job functions of `engines.mjs`, for threads and child processes to load. */
export function double(payload) {
  return 2 * payload;
}

export function spread(payload, context) {
  for (let i = 0; i < payload; i++) context.handOn("double", i);
  return payload;
}
