/**
 * Run in a network namespace of its own: starts Debian's dbus and avahi, lets a node and avahi see each other come and go, and prints
 * what each saw as one JSON object.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";

const NODE = "ab".repeat(32);
const OTHER = "cd".repeat(32);
const SECOND = "ef".repeat(32);
const CLUSTER = "c1".repeat(32);
const children: ChildProcess[] = [];

interface Running {
  readonly child: ChildProcess;
  readonly lines: string[];
}

function start(command: string, ...args: string[]): Running {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  children.push(child);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => lines.push(...text.split("\n").filter(Boolean)));
  }
  return { child, lines };
}

async function until<T>(look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function browse(): Promise<string | undefined> {
  const out = await new Promise<string>((resolve) =>
    execFile("avahi-browse", ["-rpt", "_glia._tcp"], (_, stdout) => resolve(stdout)),
  );
  return out.split("\n").find((line) => line.startsWith("=") && line.includes("IPv4"));
}

process.once("SIGTERM", () => {
  for (const child of children) child.kill();
  process.exit(1);
});

// The mount namespace is our own too: nothing of the machine's /run is touched.
execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/run"]);
for (const folder of ["/run/dbus", "/run/avahi-daemon"]) mkdirSync(folder);
for (const line of [
  "link set lo up",
  "link add d0 type veth peer name d1",
  "link set d1 up",
  "addr add 10.99.7.1/24 dev d0",
  "link set d0 up",
  "route add default dev d0",
])
  execFileSync("ip", line.split(" "));
start("dbus-daemon", "--system", "--nofork", "--nopidfile");
await until(() => existsSync("/run/dbus/system_bus_socket"));
const avahi = start("avahi-daemon", "--no-drop-root", "--no-chroot", "--no-rlimits");
await until(() => avahi.lines.some((line) => line.includes("Server startup complete")));

const program = new URL("./discovering-node.ts", import.meta.url).pathname;
const node = start(process.execPath, "--conditions=@glia-os/source", program, NODE, "7171");
interface Told {
  readonly found?: { readonly node: string; readonly addresses: readonly { readonly host: string }[] };
  readonly lost?: string;
}
const toldBy = (own: Running) => own.lines.map((line) => JSON.parse(line) as Told);
const told = () => toldBy(node);
const browsed = await until(browse);
const text = ["v=1", `node=${OTHER}`, `cluster=${CLUSTER}`];
const publisher = start("avahi-publish", "-s", "of-avahi", "_glia._tcp", "7272", ...text);
const found = await until(() => told().find((line) => line.found?.node === OTHER)?.found);
publisher.child.kill();
await until(() => told().some(({ lost }) => lost === OTHER));

// A second node: both find each other, an address that is new is heard of, and the second says goodbye.
const second = start(process.execPath, "--conditions=@glia-os/source", program, SECOND, "7373");
await until(() => told().some((line) => line.found?.node === SECOND));
await until(() => toldBy(second).some((line) => line.found?.node === NODE));
execFileSync("ip", ["addr", "add", "10.99.7.2/24", "dev", "d0"]);
const moved = await until(
  () =>
    toldBy(second).findLast((line) => line.found?.node === NODE && line.found.addresses.length === 2)?.found,
);
second.child.kill("SIGTERM");
await until(() => told().some(({ lost }) => lost === SECOND));
node.child.kill("SIGTERM");
const [code] = (await once(node.child, "exit")) as [number | null];
await until(async () => (await browse()) === undefined);
console.log(JSON.stringify({ browsed, found, moved, exit: code }));
for (const child of children) child.kill();
