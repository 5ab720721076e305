/**
 * Taking in the image of a cell that arrives: what it is made of goes to its runner as it comes (docs/spec/cell-image.md).
 *
 * RI2. Nothing of the image is asked for before there is room for the cell: what needs none of it is done by then.
 * RI1. The end of what crossed while the cell ran counts as taken when the runner has built the cell as far as that goes: only then it is to stand still.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { ChunkSource } from "@glia-os/mesh-core";
import type { AgentManifest } from "./agent-manifest.ts";
import { BadImageError } from "./errors.ts";
import type { CellHead } from "./frozen-cell.ts";
import { ImageReader } from "./image-stream.ts";
import { ImageWrites } from "./image-writes.ts";
import { GatePages } from "./postcopy/gate-pages.ts";
import type { CellRunnerPort, FrozenMail } from "./runner-port.ts";

/** Who takes what. */
export interface ImageTakers {
  readonly runner: Pick<CellRunnerPort, "expect" | "stage" | "writeImage" | "finishImage">;
  /** Whether the runner takes several pieces at a time. */
  readonly several: boolean;
  /** Absent: an image whose pages follow is refused. */
  readonly pages: GatePages | undefined;
  /** Everything of the cell but its guest; what of it the runner is to have. @throws {BadImageError} */
  takeHead(head: CellHead): FrozenMail;
}

/** Hand an image on; resolves when the runner has built the cell of it. @throws {BadImageError}, {NoPostCopyError} and what the takers refuse with */
export async function receiveImage(
  { agent, manifest }: { readonly agent: AgentId; readonly manifest: AgentManifest },
  chunks: ChunkSource,
  { runner, several, pages, takeHead }: ImageTakers,
): Promise<void> {
  const reader = new ImageReader();
  const writes = new ImageWrites(runner, agent, several);
  let mail: FrozenMail | undefined;
  let staged = false;
  await runner.expect(agent, manifest);
  for (let chunk = await chunks(); chunk !== undefined; chunk = await chunks())
    for (const part of reader.push(chunk)) {
      if (part.kind === "guest") {
        await writes.write(part.bytes);
        continue;
      }
      if (part.kind === "caught-up") {
        await writes.taken();
        continue;
      }
      if (!staged && part.kind === "ahead" && part.pages) await GatePages.stage(pages, agent);
      else if (!staged) await runner.stage(agent, part.kind === "ahead");
      staged = true;
      if (part.kind === "head") mail = takeHead(part.head);
    }
  if (mail === undefined) throw new BadImageError("it ends inside its head");
  await writes.end(runner.finishImage(agent, mail));
}
