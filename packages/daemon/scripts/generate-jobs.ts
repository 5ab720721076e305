/**
 * Makes src/jobs/generated/jobs_pb.{js,d.ts} of proto/jobs.proto, with the compiler `buf` and the generator of protobuf-es, which npx fetches. JavaScript
 * with types beside it, since enums of TypeScript cannot be stripped.
 * Run with: node packages/daemon/scripts/generate-jobs.ts
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const proto = join(root, "proto/jobs.proto");
const out = join(root, "src/jobs/generated");
const scratch = mkdtempSync(join(tmpdir(), "glia-proto-"));
try {
  const plugin = { local: "protoc-gen-es", out: scratch, opt: ["target=js+dts"] };
  const template = join(scratch, "buf.gen.json");
  writeFileSync(template, JSON.stringify({ version: "v2", plugins: [plugin] }));
  const tools = ["-y", "-p", "@bufbuild/buf@1.75.0", "-p", "@bufbuild/protoc-gen-es@2.17.0"];
  const args = ["buf", "generate", join(root, "proto"), "--template", template];
  execFileSync("npx", [...tools, ...args], { stdio: "inherit", cwd: scratch });
  const digest = createHash("sha256").update(readFileSync(proto)).digest("hex");
  const banner = `/** Generated from proto/jobs.proto (SHA-256 ${digest}) by scripts/generate-jobs.ts; not edited by hand. */\n`;
  for (const file of ["jobs_pb.js", "jobs_pb.d.ts"])
    writeFileSync(join(out, file), banner + readFileSync(join(scratch, file), "utf8"));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
