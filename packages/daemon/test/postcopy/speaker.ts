/** A guest with a capability: of each message it makes a request on what it derived from it, and replies with the answer. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileAssemblyScript } from "@glia-os/guest-as/build";
import { instrument } from "@glia-os/wasm/pipeline";

const SOURCE = `import { Capability, failure, receiveText, replyText, Rights } from "@glia-os/guest-as/assembly";
function answered(text: string): string {
  const given = Capability.named("web");
  if (given === null) return failure().toString();
  const own = given.attenuate(Rights.EXEC)!;
  const answer = own.exec(text);
  own.drop();
  return answer === null ? failure().toString() : answer;
}
export function glia_main(): i32 {
  while (true) replyText(answered(receiveText()));
}`;

/** Its module. */
export async function speakerModule(): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "glia-speaker-"));
  try {
    writeFileSync(join(folder, "agent.ts"), SOURCE);
    return (await instrument(await compileAssemblyScript(join(folder, "agent.ts")))).bytes;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
