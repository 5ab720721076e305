/** A node that says what a test has it say: for what a program outside does with answers that no agent of ours gives. */
import type { NodeApi } from "@glia-os/daemon";

/** The node, and the mail of its only mailbox. */
export interface ScriptedNode {
  readonly node: NodeApi;
  readonly mailbox: string;
  /** What was called, by name. */
  readonly calls: string[];
  /** Put messages into the mailbox: they are taken together. */
  mail(...messages: readonly unknown[]): void;
  /** The mailbox cannot be read any more. */
  fail(error: Error): void;
}

type Script = Partial<Record<keyof NodeApi, (...given: never[]) => unknown>>;

function bytes(message: unknown): Uint8Array {
  return new TextEncoder().encode(typeof message === "string" ? message : JSON.stringify(message));
}

/** Make one. What the script does not say resolves with nothing; an ask says that its answer comes later. */
export function scriptedNode(script: Script = {}): ScriptedNode {
  const mailbox = "e".repeat(32);
  const calls: string[] = [];
  let queue: Uint8Array[] = [];
  let failed: Error | undefined;
  let wake: (() => void) | undefined;
  const own: Script = {
    openMailbox: async () => mailbox,
    ask: async () => bytes({ host: "later" }),
    closeMailbox: async () => wake?.(),
    takeMail: async () => {
      if (queue.length === 0 && failed === undefined) await new Promise<void>((resolve) => (wake = resolve));
      if (failed !== undefined) throw failed;
      const taken = queue;
      queue = [];
      return taken;
    },
    ...script,
  };
  const node = new Proxy(
    {},
    {
      get: (_, name: keyof NodeApi) => {
        if ((name as string) === "then") return undefined;
        return async (...given: never[]) => {
          calls.push(name);
          return await own[name]?.(...given);
        };
      },
    },
  );
  return {
    node: node as NodeApi,
    mailbox,
    calls,
    mail: (...messages) => {
      queue.push(...messages.map(bytes));
      wake?.();
    },
    fail: (error) => {
      failed = error;
      wake?.();
    },
  };
}
