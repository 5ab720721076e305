/** Where the audit and the approvals of a journal lie: in the folder `oversight` of the journal's. */
import { join } from "node:path";
import type { ApprovalBoard } from "@glia-os/abi/ports";
import { AuditLog } from "@glia-os/durable";
import { createSystemDigests } from "@glia-os/hal";
import { createApprovalFolder } from "@glia-os/host";
import { openAuditFile } from "./audit-file.ts";

const FOLDER = "oversight";

/** The file of the audit of a journal. */
export function auditPath(folder: string): string {
  return join(folder, FOLDER, "audit.jsonl");
}

/** The approvals of a journal. */
export function boardOf(folder: string): ApprovalBoard {
  return createApprovalFolder(join(folder, FOLDER, "approvals"), { nowMs: () => Date.now() });
}

/** An audit that is open. */
export interface OpenAudit {
  readonly audit: AuditLog;
  close(): Promise<void>;
}

/** Open the audit of a journal, by whoever has the journal. @throws {AuditBrokenError} and what the system says */
export async function openAudit(folder: string): Promise<OpenAudit> {
  const file = await openAuditFile(auditPath(folder));
  try {
    const audit = await AuditLog.open(file, createSystemDigests());
    return { audit, close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}
