/** Jobs of a node from afar, by gRPC. */

import { ConnectError, createClient, decodeBinaryHeader, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { type ErrorRecord, RemoteError } from "@glia-os/abi/errors";
import { ERROR_TRAILER } from "../http-grpc.ts";
import { JobFaceError } from "./face-error.ts";
import { Jobs } from "./generated/jobs_pb.js";
import { viewOfMessage, wireStateOf } from "./job-messages.ts";
import type { JobProtocol } from "./job-protocol.ts";
import type { JobFaceAddress } from "./json-rpc-client.ts";

/** The jobs of the node there. Every refusal is a {@link RemoteError}; what is no answer of a node is `daemon.job-face`. */
export function connectGrpcJobs({ url, token }: JobFaceAddress): JobProtocol {
  const bearer: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
  const client = createClient(Jobs, createGrpcTransport({ baseUrl: url, interceptors: [bearer] }));
  const asked = async <Answer>(call: Promise<Answer>): Promise<Answer> => {
    try {
      return await call;
    } catch (error) {
      throw refusalOf(url, error);
    }
  };
  return {
    submit: async ({ payload, ...job }) => {
      const message = {
        ...job,
        lineage: [...(job.lineage ?? [])],
        payloadJson: JSON.stringify(payload ?? null),
      };
      return viewOfMessage(await asked(client.submit(message)));
    },
    status: async (id) => viewOfMessage(await asked(client.status({ id }))),
    wait: async (id, timeoutMs) => viewOfMessage(await asked(client.wait({ id, timeoutMs }))),
    cancel: async (id) => viewOfMessage(await asked(client.cancel({ id }))),
    list: async ({ state, after, limit } = {}) => {
      const filter = {
        state: wireStateOf(state),
        limit: limit ?? 0,
        ...(after === undefined ? {} : { after }),
      };
      return (await asked(client.list(filter))).jobs.map(viewOfMessage);
    },
    async *watch(id, signal) {
      try {
        for await (const message of client.watch({ id }, signal === undefined ? {} : { signal }))
          yield viewOfMessage(message);
      } catch (error) {
        if (signal?.aborted !== true) throw refusalOf(url, error);
      }
    },
  };
}

function refusalOf(url: string, error: unknown): Error {
  const found = ConnectError.from(error);
  const record = found.metadata.get(ERROR_TRAILER);
  if (record === null) return new JobFaceError(url, found.message, error);
  return new RemoteError(JSON.parse(new TextDecoder().decode(decodeBinaryHeader(record))) as ErrorRecord);
}
