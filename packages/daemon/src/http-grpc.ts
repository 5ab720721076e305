/**
 * Jobs by gRPC (docs/spec/job-protocol.md), on HTTP/2 without TLS.
 *
 * HG1. A stream without the token, for another host or of a page is refused before anything of it is read; gRPC's clients see
 *      UNAUTHENTICATED or PERMISSION_DENIED, and UNAVAILABLE while the token's file cannot be used.
 * HG2. An error has the status of its cause, and the record of it as JSON in the trailer `glia-error-bin`.
 * HG3. At most {@link STREAMS_MAX} streams on a connection. One that does not bear the token soon is ended (http-strangers.ts).
 */
import {
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import { create } from "@bufbuild/protobuf";
import {
  type Code,
  ConnectError,
  type ConnectRouter,
  encodeBinaryHeader,
  type HandlerContext,
} from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { toErrorRecord } from "@glia-os/abi/errors";
import type { HttpAnswer, HttpAsked } from "./http-guard.ts";
import { HttpStrangers } from "./http-strangers.ts";
import { checkJobId, checkWait } from "./jobs/check-submission.ts";
import { JobListSchema, Jobs } from "./jobs/generated/jobs_pb.js";
import { errorCodesOf } from "./jobs/job-error-codes.ts";
import { filterOf, messageOf, submissionOf } from "./jobs/job-messages.ts";
import type { JobProtocol } from "./jobs/job-protocol.ts";

/** Streams of one connection (HG3). */
export const STREAMS_MAX = 64;
/** The trailer with the record of an error (HG2). */
export const ERROR_TRAILER = "glia-error-bin";

/** What bounds it. */
export interface GrpcLimits {
  /** Longest message. */
  readonly bytesMax: number;
  /** How long a connection may take to bear the token, in milliseconds. */
  readonly strangerMs: number;
}

/** A server of jobs that takes connections from elsewhere; `refuse` says who may not ask. */
export function createGrpcServer(
  jobs: JobProtocol,
  refuse: (asked: HttpAsked) => HttpAnswer | undefined,
  { bytesMax, strangerMs }: GrpcLimits,
): Http2Server {
  const handle = connectNodeAdapter({
    routes: (router) => route(router, jobs),
    grpc: true,
    grpcWeb: false,
    connect: false,
    readMaxBytes: bytesMax,
  });
  const strangers = new HttpStrangers(strangerMs);
  const server = createServer({ settings: { maxConcurrentStreams: STREAMS_MAX } }, (request, response) => {
    const refusal = refusalOf(request, refuse);
    if (refusal !== undefined) return deny(response, refusal);
    const { session } = request.stream;
    if (session !== undefined) strangers.vouch(session);
    handle(request, response);
  });
  server.on("session", (session) => strangers.admit(session));
  server.on("sessionError", () => {});
  return server;
}

/** (HG1) */
function refusalOf(
  { headers, authority }: Http2ServerRequest,
  refuse: (asked: HttpAsked) => HttpAnswer | undefined,
): HttpAnswer | undefined {
  const { origin, authorization } = headers;
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  try {
    return refuse({ host: authority, origin: text(origin), authorization: text(authorization) });
  } catch (error) {
    // An event of the server: what is thrown here would end the process of the node.
    return { status: 503, body: `${error instanceof Error ? error.message : String(error)}\n` };
  }
}

function deny(response: Http2ServerResponse, { status, body, headers }: HttpAnswer): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", ...headers });
  response.end(body);
}

function route(router: ConnectRouter, jobs: JobProtocol): void {
  router.service(Jobs, {
    submit: (message, context) =>
      answered(async () => messageOf(await jobs.submit(submissionOf(message, traceOf(context))))),
    status: ({ id }) => answered(async () => messageOf(await jobs.status(checkJobId(id)))),
    wait: ({ id, timeoutMs }) =>
      answered(async () => messageOf(await jobs.wait(checkJobId(id), checkWait(timeoutMs)))),
    list: (message) =>
      answered(async () =>
        create(JobListSchema, { jobs: (await jobs.list(filterOf(message))).map(messageOf) }),
      ),
    cancel: ({ id }) => answered(async () => messageOf(await jobs.cancel(checkJobId(id)))),
    async *watch({ id }, { signal }) {
      try {
        for await (const view of jobs.watch(checkJobId(id), signal)) yield messageOf(view);
      } catch (error) {
        throw connectError(error);
      }
    },
  });
}

function traceOf({ requestHeader }: HandlerContext): string | undefined {
  return requestHeader.get("traceparent") ?? undefined;
}

async function answered<Message>(perform: () => Promise<Message>): Promise<Message> {
  try {
    return await perform();
  } catch (error) {
    throw connectError(error);
  }
}

/** (HG2) */
function connectError(error: unknown): ConnectError {
  const record = toErrorRecord(error);
  const bytes = new TextEncoder().encode(JSON.stringify(record));
  const code: Code = errorCodesOf(error).grpc;
  return new ConnectError(record.message, code, { [ERROR_TRAILER]: encodeBinaryHeader(bytes) });
}
