/** A package registry on loopback with an empty storage; packages that are not ours come from the registry npm is set to. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { mustRun } from "./command.ts";

/** What the registry says of one package's newest version. */
export interface PublishedManifest {
  readonly version: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly dist: { readonly tarball: string };
}

/** A running registry. */
export interface Registry {
  readonly url: string;
  /** Lines for an .npmrc that publishes to and installs from this registry only. */
  readonly npmrc: string;
  /** The newest version of a package, as npm would see it. */
  latest(name: string): Promise<PublishedManifest>;
  close(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** JSON, which is YAML too. */
function configuration(folder: string, upstream: string): string {
  return JSON.stringify({
    storage: join(folder, "storage"),
    uplinks: { upstream: { url: upstream, cache: true, maxage: "60m", timeout: "60s" } },
    packages: {
      "@glia-os/*": { access: "$all", publish: "$all" },
      glia: { access: "$all", publish: "$all" },
      "create-glia": { access: "$all", publish: "$all" },
      "**": { access: "$all", proxy: "upstream" },
    },
    auth: { htpasswd: { file: join(folder, "htpasswd"), max_users: -1 } },
    log: { type: "stdout", format: "json", level: "warn" },
    max_body_size: "64mb",
    web: { enable: false },
  });
}

async function answers(url: string, server: ChildProcess): Promise<void> {
  while (server.exitCode === null) {
    const up = await fetch(`${url}-/ping`).then(
      (response) => response.ok,
      () => false,
    );
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new TypeError(`the registry ended with ${server.exitCode} before it answered`);
}

/** Start a registry that keeps everything under `folder`. */
export async function startRegistry(folder: string): Promise<Registry> {
  const upstream = (await mustRun("npm", ["config", "get", "registry"], folder)).trim();
  const port = await freePort();
  const config = join(folder, "verdaccio.yaml");
  writeFileSync(config, configuration(folder, upstream));
  const manifest = createRequire(import.meta.url).resolve("verdaccio/package.json");
  const program = join(dirname(manifest), "bin", "verdaccio");
  // The system's certificate authorities, for the way to the registry behind.
  const args = ["--use-system-ca", program, "--config", config, "--listen", `127.0.0.1:${port}`];
  const server = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  const url = `http://127.0.0.1:${port}/`;
  await answers(url, server);
  const close = async (): Promise<void> => {
    if (server.exitCode !== null) return;
    server.kill("SIGTERM");
    await once(server, "exit");
  };
  const latest = async (name: string): Promise<PublishedManifest> => {
    const response = await fetch(`${url}${name.replace("/", "%2f")}/latest`);
    if (!response.ok) throw new TypeError(`the registry answers ${response.status} for ${name}`);
    return (await response.json()) as PublishedManifest;
  };
  const npmrc = `registry=${url}\n//127.0.0.1:${port}/:_authToken=loopback\n`;
  return { url, latest, npmrc, close };
}
