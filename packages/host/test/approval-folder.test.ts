import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApprovalFolder } from "@glia-os/host";
import { CancelSource } from "@glia-os/kernel/services";
import { afterAll, expect, it } from "vitest";

const root = mkdtempSync(join(tmpdir(), "glia-approvals-"));
afterAll(() => rmSync(root, { recursive: true }));
let made = 0;

function board(folder: string = join(root, String(made++))) {
  let now = 1_000;
  return { folder, approvals: createApprovalFolder(folder, { nowMs: () => now++ }) };
}

const asked = { key: "d:/0#1", question: "Pay?", args: '{"cents":900}' };

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => "nothing",
    (error: { code: string }) => error.code,
  );
}

it("AB2: of many answers at once one is taken, and the waiting program gets that one", async () => {
  const { approvals, folder } = board();
  const { id } = await approvals.post(asked);
  const waiting = approvals.answered(id, new CancelSource());
  const others = Array.from({ length: 8 }, () => board(folder).approvals);
  const codes = await Promise.all(
    others.map((each, i) => codeOf(each.answer(id, { approved: i % 2 === 0, by: `p${i}` }))),
  );
  expect(codes.sort()).toEqual(["nothing", ...Array(7).fill("oversight.answered-before")].sort());
  const [{ answer } = {}] = await approvals.list();
  expect(await waiting).toEqual({ approved: answer?.approved, by: answer?.by });
  expect(readdirSync(folder).filter((name) => name.endsWith(".draft"))).toEqual([]);
});

it("AB3: an answer that came while nobody waited is there for the next who asks the same", async () => {
  const { approvals, folder } = board();
  const { id } = await approvals.post(asked);
  await approvals.answer(id, { approved: false, by: "Ada", reason: "too dear" });
  const later = board(folder).approvals;
  expect((await later.post(asked)).id).toBe(id);
  expect(await later.answered(id, new CancelSource())).toEqual({
    approved: false,
    by: "Ada",
    reason: "too dear",
  });
});

it("AB1: the same call with other arguments is refused, whether or not it was answered", async () => {
  const { approvals } = board();
  const { id } = await approvals.post(asked);
  const changed = { ...asked, args: '{"cents":900000}' };
  expect(await codeOf(approvals.post(changed))).toBe("oversight.changed-arguments");
  await approvals.answer(id, { approved: true, by: "Ada" });
  expect(await codeOf(approvals.post(changed))).toBe("oversight.changed-arguments");
});

it("AF3: a question that was changed on the disk is refused, also with an answer beside it", async () => {
  const { approvals, folder } = board();
  const { id } = await approvals.post(asked);
  const path = join(folder, `${id}.ask`);
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace("900", "901"));
  expect(await codeOf(approvals.answer(id, { approved: true, by: "Ada" }))).toBe("oversight.board-damaged");
  writeFileSync(path, text);
  await approvals.answer(id, { approved: true, by: "Ada" });
  writeFileSync(path, "{");
  expect(await codeOf(approvals.answered(id, new CancelSource()))).toBe("oversight.board-damaged");
});

it("what is wrong with an answer, or with whom it is for, is refused and leaves the question open", async () => {
  const { approvals } = board();
  expect(await approvals.list()).toEqual([]);
  expect(await codeOf(approvals.answer("0".repeat(32), { approved: true, by: "Ada" }))).toBe(
    "oversight.unknown-approval",
  );
  const { id } = await approvals.post(asked);
  for (const bad of [
    { by: "" },
    { by: "a".repeat(201) },
    { reason: "r".repeat(2_001) },
    { approved: 1 as never },
  ])
    expect(await codeOf(approvals.answer(id, { approved: true, by: "Ada", ...bad }))).toBe(
      "oversight.bad-answer",
    );
  expect((await approvals.list())[0]?.answer).toBeUndefined();
});

it("a wait that is given up ends, and what was withdrawn is asked anew", async () => {
  const { approvals } = board();
  const { id } = await approvals.post(asked);
  const cancel = new CancelSource();
  const waiting = approvals.answered(id, cancel);
  cancel.cancel(new RangeError("gone"));
  await expect(waiting).rejects.toThrow("gone");
  await approvals.answer(id, { approved: true, by: "Ada" });
  expect(await approvals.withdraw(({ key }) => key.startsWith("d:"))).toBe(1);
  expect((await approvals.post({ ...asked, args: null })).answer).toBeUndefined();
});

it("a board holds 10,000 questions and refuses the next", async () => {
  const { approvals, folder } = board();
  await approvals.post(asked);
  for (let i = 1; i < 10_000; i++)
    writeFileSync(join(folder, `${i.toString(16).padStart(32, "0")}.ask`), "{}");
  expect(await codeOf(approvals.post({ ...asked, key: "d:/0#2" }))).toBe("oversight.board-full");
  expect((await approvals.post(asked)).key).toBe(asked.key);
});
