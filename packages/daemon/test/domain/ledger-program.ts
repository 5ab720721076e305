/** The bundle of a durable agent that keeps every number it got, in order, and replies with what it has. */

/** A checkpoint after `each` messages. */
export function ledgerProgram(each: number): Uint8Array {
  return new TextEncoder().encode(`
const text = (bytes) => new TextDecoder().decode(bytes);
export const program = {
  name: "ledger",
  uses: ["cell"],
  run: (input) =>
    function* (sys, inbox, cell) {
      const list = Array.isArray(input) ? [...input] : [];
      for (let n = 0; n < ${each}; n++) {
        const message = yield* sys.receive(inbox);
        if (!message.ask) {
          list.push(Number(text(message.payload)));
          continue;
        }
        const payload = new TextEncoder().encode(JSON.stringify({ asked: text(message.payload), list }));
        yield* sys.exec(cell, { reply: message.id, payload });
      }
      return yield* sys.checkpoint(list);
    },
};`);
}

/** What it says. */
export interface LedgerSays {
  readonly asked: string;
  readonly list: readonly number[];
}

export function saidIn(reply: Uint8Array): LedgerSays {
  return JSON.parse(new TextDecoder().decode(reply)) as LedgerSays;
}
