/** Services over the ports of `abi`: each call becomes a promise of the port, with a signal that is raised when its task stops waiting. */
import {
  type Approver,
  type CancelSignal,
  CancelSource,
  type FileOperation,
  type Files,
  type Http,
  type HttpRequest,
  type Model,
  type Tool,
} from "@glia-os/abi/ports";
import type { ServiceMeter } from "../budget/service-meter.ts";
import type { ShownQuestion } from "./requests.ts";
import type { Service, ServiceCall, ServiceKind } from "./service.ts";

/** What every service over a port can be told. */
export interface ServiceOptions {
  /** For people. Default: the kind. */
  readonly name?: string;
  /** Calls out at a time (`Service.concurrency`). */
  readonly concurrency?: number;
  /** What calls cost (`Service.meter`). */
  readonly meter?: ServiceMeter;
}

/** `sys.fetch` over an HTTP client. */
export function httpService(http: Http, options: ServiceOptions = {}): Service<HttpRequest> {
  return over("http", options, (request, cancel) => http.fetch(request, cancel));
}

/** `sys.file` over a tree of files. Reading and listing need the right `read`, writing the right `write`. */
export function filesService(files: Files, options: ServiceOptions = {}): Service<FileOperation> {
  return over<FileOperation>("files", options, (asked, cancel) => {
    if (asked.operation === "list") return files.list(asked.path, cancel);
    if (asked.operation === "write") return files.write(asked.path, asked.content, cancel);
    return files.read(asked.path, asked.limitBytes, cancel);
  });
}

/** `sys.model` over a model. */
export function modelService(model: Model, options: ServiceOptions = {}): Service {
  return over("model", options, (request, cancel) =>
    model.complete(request as Readonly<Record<string, unknown>>, cancel),
  );
}

/** `sys.exec` over a tool. */
export function toolService(tool: Tool, options: ServiceOptions = {}): Service {
  return over("tool", options, (input, cancel, call) => tool.run(input, cancel, call.key));
}

/** `sys.approve` over whoever decides. */
export function approverService(
  approver: Approver,
  options: ServiceOptions = {},
): Service<string | ShownQuestion> {
  return over<string | ShownQuestion>("approver", options, (asked, cancel) =>
    typeof asked === "string"
      ? approver.decide(asked, cancel)
      : approver.decide(asked.question, cancel, asked.args),
  );
}

function over<Request>(
  kind: ServiceKind,
  { name = kind, ...rest }: ServiceOptions,
  begin: (request: Request, cancel: CancelSignal, call: ServiceCall) => Promise<unknown>,
): Service<Request> {
  return {
    kind,
    name,
    ...rest,
    perform: (request, settle, call) => {
      const cancel = new CancelSource();
      begin(request, cancel, call).then(
        (value) => settle.ok(value),
        (error: unknown) => settle.fail(error),
      );
      return () => cancel.cancel("the task stopped waiting");
    },
  };
}
