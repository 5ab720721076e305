/** Refusals about where agents run, one class each. */
import { DaemonError } from "@glia-os/abi/errors/daemon";

/** An agent whose state is more than an image. */
export class NotExportableError extends DaemonError<"daemon.not-exportable"> {
  constructor(name: string, why: string) {
    super("daemon.not-exportable", `Agent ${name} cannot be written into a file: ${why}`, {
      details: { name },
    });
  }
}

/** More agents are being exported or imported than a node does at a time. */
export class TooManyTransfersError extends DaemonError<"daemon.too-many-transfers"> {
  constructor(what: "exported" | "imported", limit: number) {
    super("daemon.too-many-transfers", `${limit} agents are being ${what} on this node already`, {
      details: { limit },
    });
  }
}

/** A piece of an import, or its end, while the piece before is being built in. */
export class TransferBusyError extends DaemonError<"daemon.transfer-busy"> {
  constructor(id: string) {
    super("daemon.transfer-busy", `A piece of the import ${id.slice(0, 40)} is still being taken`);
  }
}

/** An export or import that this node does not know, or not any more. */
export class UnknownTransferError extends DaemonError<"daemon.unknown-transfer"> {
  constructor(id: string) {
    super("daemon.unknown-transfer", `This node knows no export or import ${id.slice(0, 40)}`);
  }
}
