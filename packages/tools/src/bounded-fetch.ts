/** A `fetch` whose answers end with an error after so many bytes, for transports that read a body whole. */

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** `fetch`, with bodies of at most `limit` bytes each: a body that is longer errors, and its connection is closed. */
export function boundedFetch(fetch: Fetch, limit: number, refusal: () => Error): Fetch {
  return async (url, init) => {
    const response = await fetch(url, init);
    const { body, status, statusText, headers } = response;
    if (body === null) return response;
    let bytes = 0;
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      transform(part, controller) {
        bytes += part.byteLength;
        if (bytes > limit) controller.error(refusal());
        else controller.enqueue(part);
      },
    });
    return new Response(body.pipeThrough(counted), { status, statusText, headers });
  };
}
