/** What a receiver remembers of its senders: bounded, and never wrong. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { MailboxLinks, NAMED, ROWS_KEPT, ROWS_MOST } from "../src/mailbox-links.ts";

const SOAK = process.env["GLIA_SOAK"] === "1";
const RUNS = SOAK ? 5_000 : 40;

/** Accept a message as a domain does; the number of the record is `record`. */
function accept(links: MailboxLinks, from: string, number: number, record: number): readonly string[] {
  const forgotten = links.toForget(from);
  links.accept(from, number, links.toSettle(), forgotten, record);
  return forgotten;
}

it("a table whose rows are all settled stays near what is kept, however many senders there are", () => {
  const links = new MailboxLinks();
  for (let i = 1; i <= 10_000; i++) {
    accept(links, `s${i}`, 1, i);
    links.settle(`s${i}`, 1);
    expect(links.size).toBeLessThanOrEqual(ROWS_KEPT + 1);
  }
});

it("a row that is not settled is never forgotten: a full table refuses new senders, and takes messages of those it knows", () => {
  const links = new MailboxLinks();
  for (let i = 1; i <= ROWS_MOST; i++) {
    expect(links.judge(`s${i}`, 1, 0)).toBe("new");
    accept(links, `s${i}`, 1, i);
  }
  expect(links.judge("new", 1, ROWS_MOST)).toBe("full");
  expect(links.judge("s1", 2, 0)).toBe("new");
  for (let i = 1; i <= NAMED + 1; i++) links.settle(`s${i}`, 1);
  expect(links.judge("new", 1, ROWS_MOST)).toBe("new");
  expect(accept(links, "new", 1, ROWS_MOST + 1).length).toBe(NAMED);
  expect(links.size).toBe(ROWS_MOST + 1 - NAMED);
});

it(`a message is accepted once by any senders with any delays, repetitions and restarts: ${RUNS} runs`, () => {
  const step = fc.record({
    sender: fc.nat(1_400),
    what: fc.oneof(
      { weight: 200, arbitrary: fc.constantFrom("send", "send", "send", "repeat", "late") },
      { weight: 1, arbitrary: fc.constant("restart") },
    ),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1_500, maxLength: 1_600 }), (steps) => {
      let links = new MailboxLinks();
      let record = 0;
      const applied = new Set<string>();
      const sent = new Map<string, number>();
      const out: { from: string; number: number; token: number }[] = [];
      const deliver = (from: string, number: number, token: number): string => {
        const judgement = links.judge(from, number, token);
        if (judgement !== "new") return judgement;
        const name = `${from} ${number}`;
        expect(applied.has(name), name).toBe(false);
        applied.add(name);
        accept(links, from, number, ++record);
        return "new";
      };
      for (const { sender, what } of steps) {
        const from = `s${sender}`;
        if (what === "restart") links = new MailboxLinks(links.form);
        else if (what === "late") {
          const old = out[sender % Math.max(out.length, 1)];
          if (old !== undefined) deliver(old.from, old.number, old.token);
        } else {
          const number = (sent.get(from) ?? 0) + (what === "send" ? 1 : 0);
          if (number === 0) continue;
          sent.set(from, number);
          let token = 0;
          out.push({ from, number, token });
          if (deliver(from, number, token) === "stale") {
            token = record;
            out.push({ from, number, token });
            deliver(from, number, token);
          }
          expect(applied.has(`${from} ${number}`)).toBe(true);
          links.settle(from, number);
        }
      }
    }),
    { numRuns: RUNS },
  );
}, 120_000);
