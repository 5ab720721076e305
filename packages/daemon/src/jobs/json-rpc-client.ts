/** Jobs of a node from afar, by JSON-RPC over HTTP. */
import type { ErrorRecord } from "@glia-os/abi/errors";
import { RemoteError } from "@glia-os/abi/errors";
import { JobFaceError } from "./face-error.ts";
import type { JobProtocol } from "./job-protocol.ts";
import { WAIT_MAX_MS } from "./job-protocol.ts";
import type { JobView } from "./job-views.ts";

/** Where a node's jobs are, and what opens them. */
export interface JobFaceAddress {
  /** The address of the HTTP face: `http://127.0.0.1:9464`. */
  readonly url: string;
  /** The content of the file `http-token` in the node's data folder. */
  readonly token: string;
}

/** The jobs of the node there. Every refusal is a {@link RemoteError}; what is no answer of a node is `daemon.job-face`. */
export function connectJsonRpcJobs({ url, token }: JobFaceAddress): JobProtocol {
  let lastId = 0;
  const call = async (method: string, params: unknown): Promise<unknown> => {
    const id = ++lastId;
    const answer = await post(url, token, { jsonrpc: "2.0", id, method, params: params ?? {} });
    const { result, error } = answer as { readonly result?: unknown; readonly error?: RpcError };
    if (error === undefined) return result;
    if (error.data !== undefined) throw new RemoteError(error.data);
    throw new JobFaceError(url, error.message);
  };
  const one = async (method: string, params: unknown): Promise<JobView> =>
    (await call(method, params)) as JobView;
  return {
    submit: (job) => one("jobs.submit", job),
    status: (id) => one("jobs.status", { id }),
    wait: (id, timeoutMs) => one("jobs.wait", { id, timeoutMs }),
    list: async (filter) => (await call("jobs.list", filter)) as readonly JobView[],
    cancel: (id) => one("jobs.cancel", { id }),
    async *watch(id, signal) {
      let view = await one("jobs.status", { id });
      yield view;
      while (view.state === "pending" && signal?.aborted !== true) {
        const next = await one("jobs.watch", { id, after: view.version, timeoutMs: WAIT_MAX_MS });
        if (next.version > view.version) yield next;
        view = next;
      }
    },
  };
}

interface RpcError {
  readonly message: string;
  readonly data?: ErrorRecord;
}

async function post(url: string, token: string, call: object): Promise<unknown> {
  try {
    const response = await fetch(new URL("/rpc", url), {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(call),
    });
    if (response.ok) return await response.json();
    throw new JobFaceError(url, (await response.text()).trim());
  } catch (error) {
    throw error instanceof JobFaceError ? error : new JobFaceError(url, String(error), error);
  }
}
