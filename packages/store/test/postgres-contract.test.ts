import type { Journal } from "@glia-os/abi/ports";
import { describe, it } from "vitest";
import type { JournalLimits } from "../src/journal/limits.ts";
import { journalContract } from "../src/journal/testing.ts";
import { openPostgresJournal } from "../src/postgres/journal/postgres-journal.ts";
import { coordinationContract } from "../src/testing.ts";
import { freshSchema, missing, postgresHarness, serverForThisFile } from "./fixtures/postgres-harness.ts";
import { expectModelled } from "./fixtures/programs.ts";

const server = serverForThisFile();

describe("the coordination contract on PostgreSQL", () => {
  it.for(coordinationContract.map(({ title, run }) => [title, run] as const))(
    "%s",
    async ([_title, run], { skip }) => {
      skip(missing !== undefined, missing);
      const harness = postgresHarness(server());
      try {
        await run(harness);
      } finally {
        await harness.dispose();
      }
    },
  );
});

it("PostgreSQL answers every program of requests as the reference model does", async ({ skip }) => {
  skip(missing !== undefined, missing);
  await expectModelled(() => postgresHarness(server()), process.env["GLIA_SOAK"] === "1" ? 1_000 : 25);
});

describe("the journal contract on PostgreSQL", () => {
  it.for(journalContract.map(({ title, run }) => [title, run] as const))(
    "%s",
    async ([_title, run], { skip }) => {
      skip(missing !== undefined, missing);
      const opened: Journal[] = [];
      const open = async (limits: Partial<JournalLimits> = {}): Promise<Journal> => {
        const journal = await openPostgresJournal({ url: server().url, schema: freshSchema(), limits });
        opened.push(journal);
        return journal;
      };
      try {
        await run({ open });
      } finally {
        await Promise.all(opened.map((journal) => journal.close()));
      }
    },
  );
});
